package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
)

func TestGuardRailsStopDangerousMachines(t *testing.T) {
	cfg := defaultConfig()
	cfg.Ledger.Path = filepath.Join(t.TempDir(), "not", "there", "yet")
	cfg.API.TokenFile = "token.txt"
	cfg.Drops = []drop.Config{{Path: "Z:/exports"}}
	cfg.complete()
	safe := doctor.Machine{
		Disk:   func(string) (doctor.Disk, error) { return doctor.Disk{Kind: "ext4"}, nil },
		Others: func(string) (bool, bool, error) { return false, false, nil },
	}
	for name, c := range map[string]struct {
		spoil func(*Config, *doctor.Machine)
		want  string
	}{
		"all well": {func(*Config, *doctor.Machine) {}, ""},
		"ledger on NFS": {func(_ *Config, m *doctor.Machine) {
			m.Disk = func(string) (doctor.Disk, error) { return doctor.Disk{Kind: "nfs", Network: true}, nil }
		}, "ledger.path"},
		"token for everybody": {func(_ *Config, m *doctor.Machine) {
			m.Others = func(string) (bool, bool, error) { return true, false, nil }
		}, "api.token_file"},
		"sandbox token in production": {func(c *Config, _ *doctor.Machine) {
			c.Environment, c.API.TokenFile = "production", "token-sandbox.txt"
		}, "named for the sandbox"},
		"mapped drive": {func(_ *Config, m *doctor.Machine) {
			m.Disk = func(string) (doctor.Disk, error) { return doctor.Disk{Letter: "Z:"}, nil }
		}, "mapped drive Z:"},
		"answers on a mapped drive, in a folder still to be made": {func(c *Config, m *doctor.Machine) {
			drive := t.TempDir()
			c.Folders.Results = filepath.Join(drive, "to be", "made")
			m.Disk = func(path string) (doctor.Disk, error) {
				if path == drive {
					return doctor.Disk{Letter: "Z:"}, nil
				}
				return doctor.Disk{}, os.ErrNotExist
			}
		}, "folders.results: is on the mapped drive Z:"},
		"key of the second server for everybody": {func(c *Config, m *doctor.Machine) {
			c.SFTP = []sftpplace.Config{{KeyFile: "mine"}, {KeyFile: "open"}}
			m.Others = func(path string) (bool, bool, error) { return path == "open", false, nil }
		}, "sftp[1].key_file: is open"},
		"drop on our own answers": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Path: c.tree("", c.Folders.Results)}}
		}, "drop[0].path: is the same folder as folders.results"},
		"drop on our own answers, by a link": {func(c *Config, _ *doctor.Machine) {
			c.Folders.Results = t.TempDir()
			c.Drops = []drop.Config{{Path: linkTo(t, c.Folders.Results)}}
		}, "drop[0].path: is the same folder as folders.results"},
		"two drops on one folder, by a link": {func(c *Config, _ *doctor.Machine) {
			dir := t.TempDir()
			c.Drops = []drop.Config{{Name: "one", Path: dir}, {Path: linkTo(t, dir)}}
		}, `drop[1].path: is the folder of drop "one" as well`},
		"drop on our own answers on a server": {func(c *Config, _ *doctor.Machine) {
			c.SFTP = []sftpplace.Config{{Host: "erp", User: "demo"}}
			c.Folders.Results = "sftp://demo@ERP:22/out/"
			c.Drops = []drop.Config{{Path: "sftp://erp/out"}}
		}, "drop[0].path: is the same folder as folders.results"},
		"two accounts, each with its own directory": {func(c *Config, _ *doctor.Machine) {
			c.Folders.Results = "sftp://one@erp/out"
			c.Drops = []drop.Config{{Path: "sftp://two@erp/out"}}
		}, ""},
		"token in a drop": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Name: "one", Path: "exports"}}
			c.API.TokenFile = filepath.Join("exports", "token.txt")
		}, `api.token_file: is in the folder of drop "one"`},
		"log in a drop": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Name: "one", Path: "exports"}}
			c.Log.File = filepath.Join("exports", "einvoice.log")
		}, `log.file: is in the folder of drop "one"`},
		"drop on the mappings": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Path: c.Mappings.Folder}}
		}, "the same folder as mappings.folder"},
		"drop on the ledger": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Path: c.Ledger.Path}}
		}, "the same folder as ledger.path"},
		"drop on the configuration": {func(c *Config, _ *doctor.Machine) {
			c.dir = filepath.Clean("/etc/einvoice")
			c.Drops = []drop.Config{{Path: c.dir + "/"}}
		}, "drop[0].path: is the folder of this file"},
		"ledger in the archive": {func(c *Config, _ *doctor.Machine) {
			c.Ledger.Path = c.tree("", c.Folders.Archive)
		}, "ledger.path: is the same folder as folders.archive"},
	} {
		one, m := cfg, safe
		c.spoil(&one, &m)
		r := setting.NewReport()
		one.guards(m, r)
		var all []string
		for _, x := range r.Mistakes() {
			all = append(all, x.Key+": "+x.Text)
		}
		if got := strings.Join(all, "\n"); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// linkTo is another way to a folder.
func linkTo(t *testing.T, dir string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("no links here:", err)
	}
	return link
}
