package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
)

// overlaps reports a drop, or the ledger, in a folder that is another part's.
// What stands in a drop is taken as an export and moved away: our own answers,
// over and over, the ledger, or the configuration with its token.
func (c *Config) overlaps(r setting.Report) {
	var others uses
	for _, id := range append(c.ids(), "") {
		for _, f := range []struct{ key, name string }{
			{"folders.results", c.Folders.Results}, {"folders.refused", c.Folders.Refused}, {"folders.to_check", c.Folders.ToCheck},
			{"folders.archive", c.Folders.Archive}, {"folders.inbox", c.Folders.Inbox},
		} {
			others = append(others, use{f.key, c.spot(c.tree(id, f.name))})
		}
	}
	others = append(others, use{"mappings.folder", c.spot(c.Mappings.Folder)})
	if c.Inbox.ERP.Path != "" {
		others = append(others, use{"inbox.erp.path", c.spot(c.Inbox.ERP.Path)})
	}
	const same = "is the same folder as %s: what we write would be read as an export, or mixed up"
	ledger := c.spot(c.Ledger.Path)
	if key := others.of(ledger); key != "" {
		r.Wrong("ledger.path", same, key)
	}
	others = append(others, use{"ledger.path", ledger})
	var drops uses
	for i, d := range c.Drops {
		at, here := r.InItem("drop", i), c.spot(d.Path)
		switch {
		case others.of(here) != "":
			at.Wrong("path", same, others.of(here))
		case drops.of(here) != "":
			at.Wrong("path", "is the folder of drop %q as well: each export would be read twice", drops.of(here))
		case c.dir != "" && here.same(c.spot(c.dir)):
			at.Wrong("path", "is the folder of this file, which would be taken as an export itself; give the drop a folder of its own")
		}
		drops = append(drops, use{d.Name, here})
	}
	c.exposed(drops, r)
}

// exposed reports files of ours in a drop: a token would be moved to the archive,
// and with a log our own lines would be read as an export without end.
func (c *Config) exposed(drops uses, r setting.Report) {
	for _, f := range append(c.secretKeys(), secretKey{"log.file", c.Log.File}, secretKey{"log.journal_file", c.Log.JournalFile}) {
		if f.path == "" {
			continue
		}
		if name := drops.of(c.spot(filepath.Dir(f.path))); name != "" {
			r.Wrong(f.key, "is in the folder of drop %q, where it would be taken as an export and moved away: put it elsewhere", name)
		}
	}
}

// use is what a folder is for.
type use struct {
	key string
	spot
}

type uses []use

// of is what a folder is used for, "" for nothing.
func (all uses) of(s spot) string {
	for _, u := range all {
		if u.same(s) {
			return u.key
		}
	}
	return ""
}

// spot is a folder, however it is written: two links, mounts, or spellings whose
// letter case means nothing there may lead to one.
type spot struct {
	name string
	info os.FileInfo // nil where nothing stands, and on a server
}

func (s spot) same(o spot) bool {
	return s.name == o.name || s.info != nil && o.info != nil && os.SameFile(s.info, o.info)
}

// spot finds a place. On a server, the account and the port may be written or
// not; what is a link there only the server knows.
func (c *Config) spot(place string) spot {
	if a, err := sftpplace.Parse(place); err == nil {
		if section, ok := sftpplace.Find(c.SFTP, a); ok && a.User == "" {
			a.User = section.User
		}
		return spot{name: a.String()}
	}
	name := filepath.Clean(place)
	if runtime.GOOS == "windows" {
		name = strings.ToLower(name)
	}
	info, err := os.Stat(place)
	if err != nil {
		return spot{name: name}
	}
	return spot{name, info}
}
