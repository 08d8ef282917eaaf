//go:build unix

package service

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"

	"einvoice/connector/durable"
)

// unitFile is where an administrator's units are.
const unitFile = "/etc/systemd/system/" + Name + ".service"

// plan lists the steps of a verb for systemd.
func plan(verb string, opt Options) ([]step, error) {
	switch verb {
	case "install":
		return install(opt), nil
	case "uninstall":
		return uninstall(opt), nil
	case "start", "stop", "restart":
		return []step{shell(opt, nil, "systemctl", verb, Name+".service")}, nil
	case "status":
		return []step{shell(opt, nil, "systemctl", "status", "--no-pager", Name+".service")}, nil
	}
	return nil, fmt.Errorf("%w %q", ErrUnknown, verb)
}

func install(opt Options) []step {
	who := account(opt)
	text := Unit(opt)
	steps := []step{
		shell(opt, func() bool { return known(who) }, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", opt.Ledger, "--shell", "/usr/sbin/nologin", who),
		{"mkdir -p " + opt.Ledger, func() bool { return isDir(opt.Ledger) }, func(context.Context) error { return durable.MkdirAll(opt.Ledger, 0o700) }},
		shell(opt, nil, "chown", "-R", who+":", opt.Ledger),
		shell(opt, nil, "chgrp", who, opt.Config),
		shell(opt, nil, "chmod", "g+r", opt.Config),
		shell(opt, func() bool { return open(filepath.Dir(opt.Config)) }, "chgrp", who, filepath.Dir(opt.Config)),
		shell(opt, func() bool { return open(filepath.Dir(opt.Config)) }, "chmod", "g+rx", filepath.Dir(opt.Config)),
	}
	for _, dir := range opt.Folders {
		steps = append(steps, step{"mkdir -p " + dir, func() bool { return isDir(dir) }, func(context.Context) error { return durable.MkdirAll(dir, 0o755) }},
			shell(opt, nil, "chgrp", who, dir), shell(opt, nil, "chmod", "g+rwxs", dir))
	}
	return append(steps,
		step{"write " + unitFile + ":\n" + text, func() bool { return holds(unitFile, text) },
			func(context.Context) error { return durable.WriteFile(unitFile, []byte(text), 0o644) }},
		shell(opt, nil, "systemctl", "daemon-reload"),
		shell(opt, nil, "systemctl", "enable", Name+".service"),
	)
}

// uninstall leaves the ledger, the folders and the user, whose files they are.
func uninstall(opt Options) []step {
	gone := func() bool { _, err := os.Stat(unitFile); return os.IsNotExist(err) }
	return []step{
		shell(opt, gone, "systemctl", "disable", "--now", Name+".service"),
		{"remove " + unitFile, gone, func(context.Context) error { return durable.Remove(unitFile) }},
		shell(opt, nil, "systemctl", "daemon-reload"),
	}
}

func known(account string) bool { _, err := user.Lookup(account); return err == nil }

func isDir(path string) bool { info, err := os.Stat(path); return err == nil && info.IsDir() }

// open tells whether everybody may read a folder: then its group stays as it is.
func open(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o005 == 0o005
}

func holds(path, text string) bool {
	data, err := os.ReadFile(path)
	return err == nil && string(data) == text
}
