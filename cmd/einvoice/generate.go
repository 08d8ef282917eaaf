package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"einvoice/connector/durable"
)

// generateCommand writes what packagers ship beside the binary. It is hidden:
// nobody who runs einvoice needs it.
func generateCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "generate DIR",
		Short:  "Write manual pages and shell completions into a folder",
		Args:   exactly(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := generate(cmd.Root(), args[0]); err != nil {
				return fmt.Errorf("generate: %w", err)
			}
			return nil
		},
	}
}

// generate makes man/*.1 and completions/*. SOURCE_DATE_EPOCH (seconds) dates
// the pages, so that a build gives the same bytes twice.
func generate(root *cobra.Command, dir string) error {
	man, completions := filepath.Join(dir, "man"), filepath.Join(dir, "completions")
	for _, d := range []string{man, completions} {
		if err := durable.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "EINVOICE", Section: "1", Source: "einvoice", Manual: "einvoice"}
	if err := doc.GenManTree(root, header, man); err != nil {
		return err
	}
	for name, write := range map[string]func(string) error{
		"einvoice.bash": func(p string) error { return root.GenBashCompletionFileV2(p, true) },
		"_einvoice":     root.GenZshCompletionFile,
		"einvoice.fish": func(p string) error { return root.GenFishCompletionFile(p, true) },
		"einvoice.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(completions, name)); err != nil {
			return err
		}
	}
	return nil
}
