package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/service"
	"einvoice/connector/setting"
)

func serviceCommand(s streams) *cobra.Command {
	var path, user, passwordFile string
	var dry bool
	cmd := &cobra.Command{
		Use:   "service " + strings.Join(service.Verbs(), "|"),
		Short: "Install and control einvoice as a service of systemd or Windows",
		Long: `Service installs einvoice under systemd or the service manager of Windows, and
controls it there. Every verb may be given twice; --dry-run prints what it would
do and does nothing. Uninstall leaves the ledger, the folders and the user.

Linux: a user of its own (einvoice), a hardened unit that may write to the ledger
and the configured folders only, and secrets handed over by LoadCredential.
Windows: the virtual account NT SERVICE\einvoice, delayed automatic start, restart
after failures, an Event Log source; for shares of other machines name an account
with --user DOMAIN\account or a gMSA (DOMAIN\name$), which needs no password.`,
		Args: usage(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)), ValidArgs: service.Verbs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt := service.Options{User: user, DryRun: dry, Out: s.out}
			if args[0] == "install" {
				if err := installOptions(&opt, path, passwordFile); err != nil {
					return err
				}
			}
			return service.Do(cmd.Context(), args[0], opt)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&user, "user", "", "account that the service runs as")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with that account's password (Windows)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would be done, do nothing")
	return cmd
}

// installOptions reads what the service may touch out of a configuration that
// has no mistakes.
func installOptions(opt *service.Options, path, passwordFile string) error {
	if _, _, err := check(path); err != nil {
		return err
	}
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if opt.Exe, err = filepath.EvalSymlinks(exe); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if strings.HasPrefix(opt.Exe, os.TempDir()+string(filepath.Separator)) && !opt.DryRun {
		return errors.New("this program runs out of a temporary folder (go run?); install the binary first, such as in /usr/local/bin")
	}
	if passwordFile != "" {
		data, err := os.ReadFile(passwordFile)
		if err != nil {
			return fmt.Errorf("read password: %w", err)
		}
		opt.Password = setting.Secret(strings.TrimRight(string(setting.Text(data)), "\r\n"))
	}
	opt.Config, opt.Ledger, opt.Secrets = cfg.file, cfg.Ledger.Path, cfg.secrets()
	for _, f := range cfg.measured() {
		opt.Folders = append(opt.Folders, f.Path)
	}
	return nil
}
