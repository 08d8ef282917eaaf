package main

import (
	"path/filepath"

	"einvoice/connector/setting"
)

// overlaps reports a drop, or the ledger, in a folder that is another part's.
// What stands in a drop is taken as an export and moved away: our own answers,
// over and over, the ledger, or the configuration with its token.
func (c *Config) overlaps(r setting.Report) {
	others := map[string]string{}
	for _, id := range append(c.ids(), "") {
		for _, f := range []struct{ key, name string }{
			{"folders.results", c.Folders.Results}, {"folders.refused", c.Folders.Refused}, {"folders.to_check", c.Folders.ToCheck},
			{"folders.archive", c.Folders.Archive}, {"folders.inbox", c.Folders.Inbox},
		} {
			others[filepath.Clean(c.tree(id, f.name))] = f.key
		}
	}
	others[filepath.Clean(c.Mappings.Folder)] = "mappings.folder"
	if c.Inbox.ERP.Path != "" {
		others[filepath.Clean(c.Inbox.ERP.Path)] = "inbox.erp.path"
	}
	const same = "is the same folder as %s: what we write would be read as an export, or mixed up"
	if key, taken := others[filepath.Clean(c.Ledger.Path)]; taken {
		r.Wrong("ledger.path", same, key)
	}
	others[filepath.Clean(c.Ledger.Path)] = "ledger.path"
	for i, d := range c.Drops {
		at := r.InItem("drop", i)
		switch key, taken := others[filepath.Clean(d.Path)]; {
		case taken:
			at.Wrong("path", same, key)
		case c.dir != "" && filepath.Clean(d.Path) == c.dir:
			at.Wrong("path", "is the folder of this file, which would be taken as an export itself; give the drop a folder of its own")
		}
	}
}
