package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets stories run the real command, as processes of their own that a
// story can kill.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"einvoice": func() { os.Exit(profiled(Main)) },
		"rawloop":  rawLoop,
	})
}

// TestStories runs one script per story of a user.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: false,
		Setup:               setUpStory,
		Cmds:                storyCommands(),
	})
}
