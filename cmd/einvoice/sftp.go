package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func sftpKeyCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "sftp-key HOST",
		Short: "Print the host keys that an SFTP server shows, to compare and paste",
		Long: `Sftp-key connects to HOST, host:port or sftp://host:port, prints the
fingerprints of the host keys it shows, and hangs up without logging in. They
prove nothing by themselves: compare them with what the server's administrator
says before you paste them into host_keys of its [[sftp]] section.`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, host, err := shownKeys(cmd.Context(), path, args[0])
			if err != nil {
				return fmt.Errorf("ask %s for its host keys: %w", args[0], err)
			}
			fmt.Fprintf(s.out, "# shown by %s; compare with what its administrator says before you trust them\n", host)
			quoted := make([]string, len(keys))
			for i, k := range keys {
				quoted[i] = fmt.Sprintf("%q", k)
			}
			_, err = fmt.Fprintf(s.out, "host_keys = [%s]\n", strings.Join(quoted, ", "))
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// shownKeys asks by the proxy and times of the host's section, where the
// configuration has one; it may not be valid yet, for want of the very key.
func shownKeys(ctx context.Context, config, host string) (keys []string, at string, err error) {
	if !sftpplace.Is(host) {
		host = "sftp://" + host
	}
	a, err := sftpplace.Parse(strings.TrimRight(host, "/") + "/~/x")
	if err != nil {
		return nil, "", fmt.Errorf("%w: the host %w", errUsage, err)
	}
	section := sftpplace.Defaults()
	if data, err := os.ReadFile(config); err == nil {
		cfg, _ := parseConfig(setting.Text(data))
		if s, ok := sftpplace.Find(cfg.SFTP, a); ok {
			section = s
		}
	}
	keys, err = section.ShownKeys(ctx, a)
	return keys, a.Endpoint(), err
}

// section finds the [[sftp]] section of a place.
func (c *Config) section(place string) (sftpplace.Config, bool) {
	a, err := sftpplace.Parse(place)
	if err != nil {
		return sftpplace.Config{}, false
	}
	return sftpplace.Find(c.SFTP, a)
}

// remote lists the configured places that are on servers, each once.
func (c *Config) remote() []string {
	var all []string
	for _, d := range c.Drops {
		all = append(all, d.Path)
		for _, f := range []ledger.Folder{ledger.FolderResults, ledger.FolderRefused, ledger.FolderToCheck} {
			all = append(all, c.resultFolder(d.Company, f))
		}
	}
	for _, co := range c.Companies {
		all = append(all, c.tree(co.ID, c.Folders.Inbox), c.erpPlace(co.ID))
	}
	all = slices.DeleteFunc(all, func(p string) bool { return !sftpplace.Is(p) })
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *Config) isDrop(at string) bool {
	return slices.ContainsFunc(c.Drops, func(d drop.Config) bool { return d.Path == at })
}

// checkOnline connects to each place on a server, with all that a run would
// need: host key, login, directory.
func checkOnline(ctx context.Context, path string, out io.Writer) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	hosts := sftpplace.NewHosts(cfg.SFTP)
	defer hosts.Close()
	bad := 0
	for _, at := range cfg.remote() {
		p, err := hosts.Place(at, "")
		if err == nil {
			err = p.Connect(ctx)
		}
		var known problem.Problem
		switch {
		case err == nil:
			fmt.Fprintf(out, "%s: the host key is the known one, the login works, the directory can be read\n", at)
			continue
		case errors.As(err, &known):
			fmt.Fprintf(out, "%s: %s\n  %s\n", at, known.Message(cfg.lang()), known.Remedy(cfg.lang()))
		case errors.Is(err, fs.ErrNotExist) && !cfg.isDrop(at):
			fmt.Fprintf(out, "%s: the host key is the known one, the login works, the directory is made when it is needed\n", at)
			continue
		default:
			fmt.Fprintf(out, "%s: %v\n", at, err)
		}
		bad++
	}
	if bad > 0 {
		return fmt.Errorf("check online: %d places cannot be used", bad)
	}
	return nil
}
