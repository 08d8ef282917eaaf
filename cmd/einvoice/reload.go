package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/service"
	"einvoice/connector/ledger"
)

func reloadCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make the running daemon read its configuration and mappings again",
		Long: `Reload checks the configuration and all mappings, and only then asks the running
daemon to read them again. What is in flight ends first; what is wrong is refused
whole. The ledger's path and the API's base URL change at a restart only.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := check(path); err != nil {
				return err
			}
			pid, err := daemonOf(path)
			if err == nil {
				err = service.Reload(pid)
			}
			if err != nil {
				return fmt.Errorf("reload: %w", err)
			}
			_, err = fmt.Fprintln(s.out, "the daemon reads its configuration again; its log says what came of it")
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// daemonOf is the process that holds the ledger of a configuration.
func daemonOf(path string) (pid int, err error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return 0, err
	}
	pid, err = ledger.HeldBy(cfg.Ledger)
	if errors.Is(err, fs.ErrNotExist) || err == nil && pid == 0 {
		return 0, errors.New("no daemon runs with this configuration")
	}
	return pid, err
}
