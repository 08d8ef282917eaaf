package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
)

// sftpConnect is host key, login and directory, each told apart by its problem.
func sftpConnect(ctx context.Context, e *exam, at string) verdict {
	p, err := e.hosts.Place(at, "")
	if err == nil {
		err = p.Connect(ctx)
	}
	if err == nil {
		return ok(setting.Say("the host key is the known one, the login works, the directory can be read"))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return warn(setting.Say("the directory is not there yet; it is made when it is needed"), setting.Say("make it on the server if the account may not"))
	}
	seen, remedy := told(err)
	if remedy.English == "" {
		remedy = setting.Say("einvoice sftp-key HOST shows the server's host keys; correct its [[sftp]] section")
	}
	return fail(seen, remedy)
}

// sftpRename publishes a file as answers are: under a hidden name, then renamed.
func sftpRename(ctx context.Context, e *exam, at string) verdict {
	if e.mailbox(at) {
		return ok(setting.Say("a mailbox knows no rename: files are written under their name"))
	}
	p, err := e.hosts.Place(at, "")
	if err == nil {
		err = p.Publish(ctx, probe, strings.NewReader("einvoice doctor\n"))
	}
	if err == nil {
		err = p.Publish(ctx, probe, strings.NewReader("einvoice doctor, replacing\n"))
	}
	if err == nil {
		err = p.Remove(ctx, probe)
	}
	if err != nil {
		seen, remedy := told(err)
		return fail(seen, setting.Say("let the account write, rename and delete there. %v", remedy))
	}
	return ok(setting.Say("files can be written, renamed, replaced and removed"))
}

// sftpClock compares the server's clock with ours by the time of a fresh file.
func sftpClock(ctx context.Context, e *exam, at string) verdict {
	if e.mailbox(at) {
		return ok(setting.Say("a mailbox is not probed"))
	}
	p, err := e.hosts.Place(at, "")
	if err != nil {
		return fail(caused(err), see("sftp-connect"))
	}
	name := strings.TrimPrefix(probe, ".") + ".tmp" // servers may leave hidden names out of a listing
	if err := p.Publish(ctx, name, strings.NewReader("clock\n")); err != nil {
		return fail(caused(err), see("sftp-rename"))
	}
	entries, err := p.List(ctx)
	now := e.machine.Now()
	err = errors.Join(err, p.Remove(ctx, name))
	if err != nil {
		return fail(caused(err), see("sftp-rename"))
	}
	for _, entry := range entries {
		if entry.Name == name {
			return skew(now.Sub(entry.Modified), setting.Say("the server"))
		}
	}
	return fail(setting.Say("a file that was just written is not in the listing"), setting.Say("let the account list the directory"))
}

func (e *exam) mailbox(at string) bool {
	a, err := sftpplace.Parse(at)
	if err != nil {
		return false
	}
	s, found := sftpplace.Find(e.SFTP, a)
	return found && s.Profile == sftpplace.Compat
}
