package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/service"
	"einvoice/connector/ledger"
)

func reloadCommand(s streams) *cobra.Command {
	var path, level string
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make the running daemon read its configuration and mappings again",
		Long: `Reload checks the configuration and all mappings, and only then asks the running
daemon to read them again. What is in flight ends first; what is wrong is refused
whole. The ledger's path and the API's base URL change at a restart only.

With --log-level nothing is read again: the running daemon's technical log
changes its level until the next reload or start.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if level != "" {
				return carryOut(cmd.Context(), path, "log-level", map[string]string{"level": level}, s)
			}
			if _, _, err := check(path); err != nil {
				return err
			}
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			pid, err := daemonOf(cfg)
			if err == nil {
				err = service.Reload(pid)
			}
			if err != nil {
				return fmt.Errorf("reload: %w", err)
			}
			_, err = fmt.Fprint(s.out, cfg.say("the daemon reads its configuration again; its log says what came of it\n"))
			return err
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&level, "log-level", "", "only change the level of the log: debug, info, warn or error")
	return cmd
}

func doLogLevel(_ context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	if a.level == nil {
		return nil, errors.New(a.cfg.say("no daemon runs with this configuration; set log.level"))
	}
	level := args["level"]
	if !slices.Contains(logLevels(), level) {
		return nil, errors.New(a.cfg.say("log level %q is not one of %s", level, strings.Join(logLevels(), ", ")))
	}
	a.level.set(level)
	_, err := fmt.Fprint(out, a.cfg.say("the log's level is %s until the next reload or start\n", level))
	return nil, err
}

// daemonOf is the process that holds the ledger of a configuration.
func daemonOf(cfg *Config) (pid int, err error) {
	pid, err = ledger.HeldBy(cfg.Ledger)
	if errors.Is(err, fs.ErrNotExist) || err == nil && pid == 0 {
		return 0, errors.New(cfg.say("no daemon runs with this configuration"))
	}
	return pid, err
}
