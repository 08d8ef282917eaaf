package main

import (
	"path/filepath"
	"strings"
	"testing"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/drop"
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
		"drop on our own answers": {func(c *Config, _ *doctor.Machine) {
			c.Drops = []drop.Config{{Path: c.tree("", c.Folders.Results)}}
		}, "drop[0].path: is the same folder as folders.results"},
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
