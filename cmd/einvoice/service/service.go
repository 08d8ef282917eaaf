// Package service runs einvoice under the system's service manager, systemd or
// that of Windows, and installs it there.
package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"einvoice/connector/setting"
)

// Name is the service's name, its user's and its unit's.
const Name = "einvoice"

// ErrUnknown is wrapped for a verb that there is not.
var ErrUnknown = errors.New("unknown verb")

// Verbs are what Do knows.
func Verbs() []string { return []string{"install", "uninstall", "start", "stop", "restart", "status"} }

// Options say what is installed, and how to act.
type Options struct {
	Exe      string   // absolute path of the program
	Config   string   // absolute path of the configuration
	Ledger   string   // the ledger's folder
	Folders  []string // of this machine, that the service writes to
	Secrets  []string // files that hold secrets
	User     string   // account; "" is the default of the system
	Password setting.Secret
	DryRun   bool
	Out      io.Writer
	// Command runs a program of the system; nil runs it.
	Command func(ctx context.Context, name string, args ...string) error
}

// step is one thing to do. It is passed over when it is done already, so that
// every verb may be given twice.
type step struct {
	say  string
	done func() bool // nil: never
	do   func(ctx context.Context) error
}

// Do carries out a verb, or prints what it would do.
func Do(ctx context.Context, verb string, opt Options) error {
	if opt.Command == nil {
		opt.Command = command(opt.Out)
	}
	steps, err := plan(verb, opt)
	if err != nil {
		return fmt.Errorf("%s service: %w", verb, err)
	}
	for _, s := range steps {
		if s.done != nil && s.done() {
			fmt.Fprintln(opt.Out, "already: "+s.say)
			continue
		}
		fmt.Fprintln(opt.Out, s.say)
		if opt.DryRun {
			continue
		}
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s service: %s: %w", verb, firstLine(s.say), err)
		}
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func command(out io.Writer) func(context.Context, string, ...string) error {
	return func(ctx context.Context, name string, args ...string) error {
		c := exec.CommandContext(ctx, name, args...)
		c.Stdout, c.Stderr = out, out
		return c.Run()
	}
}

// shell is a step that runs a program of the system.
func shell(opt Options, done func() bool, name string, args ...string) step {
	return step{strings.Join(append([]string{name}, args...), " "), done, func(ctx context.Context) error { return opt.Command(ctx, name, args...) }}
}

// credential is the name under which the service manager hands a secret over:
// two files may have the same base name.
func credential(path string) string {
	sum := sha256.Sum256([]byte(path))
	return "secret-" + hex.EncodeToString(sum[:6])
}

// Secret is where to read a secret file: from the credentials that systemd hands
// over (LoadCredential), so that the file itself may stay root's alone, else the
// file.
func Secret(path string, getenv func(string) string) string {
	dir := getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || path == "" {
		return path
	}
	handed := filepath.Join(dir, credential(path))
	if _, err := os.Stat(handed); err != nil {
		return path
	}
	return handed
}
