package main

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
	"einvoice/inbox"
	"einvoice/outbox"
)

// places opens what the configuration calls a place: a folder of this machine,
// or sftp://user@host:port/path.
type places struct{ hosts *sftpplace.Hosts }

// drop opens a place whose files are retired to archive.
func (p places) drop(at, archive string) (outbox.Place, error) {
	if sftpplace.Is(at) {
		return p.hosts.Place(at, archive)
	}
	return drop.NewFolder(at, archive)
}

// results opens a place that we only write to.
func (p places) results(at string) (drop.Place, error) {
	if sftpplace.Is(at) {
		return p.hosts.Place(at, "")
	}
	return drop.NewFolder(at, "")
}

// kept is results that opens each place once. Several goroutines may ask.
func (p places) kept() func(at string) (drop.Place, error) {
	var mu sync.Mutex
	open := map[string]drop.Place{}
	return func(at string) (drop.Place, error) {
		mu.Lock()
		defer mu.Unlock()
		if place := open[at]; place != nil {
			return place, nil
		}
		place, err := p.results(at)
		if err == nil {
			open[at] = place
		}
		return place, err
	}
}

// erpPlace is where the ERP finds a company's supplier invoices, "" for nowhere.
func (c *Config) erpPlace(company string) string {
	if len(c.Companies) > 1 && c.Inbox.ERP.Path != "" {
		return below(c.Inbox.ERP.Path, company)
	}
	return c.Inbox.ERP.Path
}

// trees opens where the supplier invoices of each company go, of those whose
// place is on a server.
func (p places) trees(cfg *Config) (map[string]inbox.Tree, error) {
	all := map[string]inbox.Tree{}
	for _, c := range cfg.Companies {
		at := cfg.tree(c.ID, cfg.Folders.Inbox)
		if !sftpplace.Is(at) {
			continue
		}
		t, err := p.hosts.Tree(at)
		if err != nil {
			return nil, err
		}
		all[c.ID] = t
	}
	return all, nil
}

// readsOnce tells a mailbox, whose files may vanish by being opened.
func readsOnce(p any) bool {
	m, ok := p.(interface{ ReadsOnce() bool })
	return ok && m.ReadsOnce()
}

// below is a place inside another one.
func below(place string, names ...string) string {
	if sftpplace.Is(place) {
		return strings.TrimRight(place, "/") + "/" + path.Join(names...)
	}
	return filepath.Join(append([]string{place}, names...)...)
}

// local keeps the folders of this machine.
func local(dirs []string) []string { return slices.DeleteFunc(dirs, sftpplace.Is) }

// validateSFTP checks the [[sftp]] sections and that each place on a server has one.
func (c *Config) validateSFTP(r setting.Report) {
	for i, s := range c.SFTP {
		s.Validate(r.InItem("sftp", i))
	}
	f := r.In("folders")
	for _, x := range []struct{ key, place string }{
		{"root", c.Folders.Root}, {"drop", c.Folders.Drop}, {"results", c.Folders.Results}, {"refused", c.Folders.Refused},
		{"to_check", c.Folders.ToCheck}, {"archive", c.Folders.Archive},
	} {
		c.validatePlace(f, x.key, x.place)
	}
	if section, ok := c.validatePlace(f, "inbox", c.tree("", c.Folders.Inbox)); ok && section.Profile == sftpplace.Compat {
		f.Wrong("inbox", `is on a server with profile = "compat", which moves nothing: supplier invoices could be seen in part; give it another place`)
	}
	c.validatePlace(r.In("inbox").In("erp"), "path", c.Inbox.ERP.Path)
	for i, d := range c.Drops {
		at := r.InItem("drop", i)
		section, ok := c.validatePlace(at, "path", d.Path)
		archive := c.tree(d.Company, c.Folders.Archive)
		switch {
		case !sftpplace.Is(d.Path):
			if sftpplace.Is(archive) && d.After != drop.Leave {
				at.Wrong("path", "is a folder of this machine, but its archive (%s) is not: a file is moved there by a rename", archive)
			}
		case ok && section.Profile == sftpplace.Compat && d.After == drop.Archive:
			at.Wrong("after", `is "archive", but a server with profile = "compat" moves nothing: set after = "delete", or "leave"`)
		case sftpplace.Is(archive):
			if _, err := sftpplace.NewHosts(c.SFTP).Place(d.Path, archive); err != nil && ok {
				at.Wrong("path", "does not go with its archive: %v", err)
			}
		}
	}
}

// validatePlace checks an address and finds its section; ok is false for a
// folder of this machine, and after a mistake.
func (c *Config) validatePlace(r setting.Report, key, place string) (section sftpplace.Config, ok bool) {
	if !sftpplace.Is(place) {
		return section, false
	}
	a, err := sftpplace.Parse(place)
	if err != nil {
		r.Wrong(key, "%v", err)
		return section, false
	}
	section, ok = sftpplace.Find(c.SFTP, a)
	switch {
	case !ok:
		r.Wrong(key, "is on %s, which no [[sftp]] section has as its host", a.Endpoint())
	case a.User == "" && section.User == "":
		r.Wrong(key, "names no user, and neither does the [[sftp]] section of %s", a.Host)
	}
	return section, ok
}
