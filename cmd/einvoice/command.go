package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"einvoice/connector/ledger"
)

// Exit codes are part of the interface: schedulers act on them.
const (
	exitFine        = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRefused     = 3   // some invoices were refused
	exitConfig      = 4   // the configuration is invalid
	exitInUse       = 5   // another process has the ledger
	exitUnfinished  = 6   // invoices are held, uncertain, waiting or stopped, or a file was not to be had
	exitInterrupted = 130 // a signal asked to stop
)

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitError ends the program with a code and no further words: everything was
// said already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// errUsage wraps what is wrong with the command line itself.
var errUsage = errors.New("usage")

// execute runs one command line.
func execute(ctx context.Context, args []string, s streams) int {
	root := rootCommand(s)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	var quiet exitError
	if err != nil && !errors.As(err, &quiet) {
		fmt.Fprintln(s.err, "einvoice:", err)
	}
	if code == exitUsage {
		fmt.Fprintln(s.err, "try: einvoice --help")
	}
	return code
}

func exitCode(err error) int {
	var code exitError
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, errConfig):
		return exitConfig
	case errors.Is(err, ledger.ErrInUse):
		return exitInUse
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailure
}

func rootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "einvoice",
		Short: "Send an ERP's exports as e-invoices, and bring the answers back as files",
		Long: `einvoice watches folders for the exports of an ERP (CSV, XLSX, XML, fixed
width), turns them into invoices by a mapping, sends each once through the
E-Invoicing API France, and writes what became of them, and the invoices of
suppliers, back as files.

Try it, with no account and no network:  einvoice demo`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(
		demoCommand(s), initCommand(s), checkCommand(s), doctorCommand(s), serviceCommand(s), reloadCommand(s), runCommand(s), sandboxCommand(s), sftpKeyCommand(s),
		registerCommand(s), previewCommand(s), validateCommand(s), rulesCommand(s), mappingsCommand(s), statusCommand(s), queueCommand(s), traceCommand(s), schemaCommand(s), versionCommand(s), generateCommand(),
	)
	root.AddCommand(backupCommand(s), restoreCommand(s), bundleCommand(s))
	root.AddCommand(personCommands(s)...)
	root.AddCommand(inboxCommands(s)...)
	return root
}

// exactly and atMost are cobra's argument checks, told as usage errors.
func exactly(n int) cobra.PositionalArgs { return usage(cobra.ExactArgs(n)) }

func none(cmd *cobra.Command, args []string) error { return usage(cobra.NoArgs)(cmd, args) }

func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return nil
	}
}

// defaultConfigFile is what commands look for where nobody names a file.
const defaultConfigFile = "einvoice.toml"

// configFlag adds -c, the path of the configuration.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", defaultConfigFile, "configuration file")
}
