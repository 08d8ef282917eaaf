// Package doctor measures whether this machine, its places and the platform let
// einvoice do its work, and says what to type where they do not.
//
// Every check measures: it writes, renames, asks. What it leaves behind it
// removes. It changes no invoice.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// Grade is how bad a finding is.
type Grade string

// The grades. Only Fail makes the command end with 1.
const (
	OK   Grade = "OK"
	Warn Grade = "WARN"
	Fail Grade = "FAIL"
)

// Finding is what one check saw of one subject.
type Finding struct {
	Check   string `json:"check"`
	Subject string `json:"subject,omitempty"`
	Grade   Grade  `json:"grade"`
	Seen    string `json:"seen"`
	Remedy  string `json:"remedy,omitempty"` // what to type or to change
}

// Folder is a place of this machine.
type Folder struct {
	Path    string
	Archive string        // of a drop: where its originals are moved; "" for others
	Drop    bool          // the ERP writes there
	Scan    time.Duration // of a drop
}

// Platform is what the checks ask of the API.
type Platform interface {
	Registered(ctx context.Context, fiscalID string) (api.Registration, bool, error)
	List(ctx context.Context, q api.Query) iter.Seq2[connector.Remote, error]
}

// Setup is what the configuration says, as far as it can be measured.
type Setup struct {
	Config       string // path of the configuration file
	Environment  string
	API          api.Config
	Companies    []connector.Company
	Folders      []Folder
	Remote       []string // sftp:// addresses
	SFTP         []sftpplace.Config
	Ledger       ledger.Config
	Secrets      []string // files that hold secrets
	CallbackURL  string   // public URL of callbacks; "" without them
	Platform     Platform
	Registration func(ctx context.Context, company string) (diff string, err error) // "" when as configured
	// Calls reads the platform's own log of its callbacks since a time.
	Calls func(ctx context.Context, since time.Time) ([]api.Call, error)
	Lang  problem.Lang
	// TokenEnds is when the token expires; zero where nobody said.
	TokenEnds time.Time
	TokenDays int // days before that a warning is due
}

// check is one thing to measure, of each of its subjects.
type check struct {
	name     string
	subjects func(Setup) []string
	measure  func(ctx context.Context, e *exam, subject string) verdict
}

type verdict struct {
	grade        Grade
	seen, remedy string
}

func ok(format string, args ...any) verdict {
	return verdict{grade: OK, seen: fmt.Sprintf(format, args...)}
}
func warn(seen, remedy string) verdict { return verdict{Warn, seen, remedy} }
func fail(seen, remedy string) verdict { return verdict{Fail, seen, remedy} }

// exam is one run over a setup.
type exam struct {
	Setup
	machine Machine
	hosts   *sftpplace.Hosts
	hello   func() greeting // the platform's answer to one request, asked once
}

// perCheck bounds one measurement: a share or a server that hangs is a finding.
const perCheck = 30 * time.Second

// Names lists the checks, in the order in which they run.
func Names() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

func checks() []check {
	return []check{
		{"service-account", once, serviceAccount},
		{"umask", once, umask},
		{"open-files", once, openFiles},
		{"config-rights", once, configRights},
		{"secret-rights", func(s Setup) []string { return s.Secrets }, secretRights},
		{"token", once, tokenPresent},
		{"token-environment", once, tokenEnvironment},
		{"folder-exists", folders, folderExists},
		{"folder-rights", folders, folderRights},
		{"folder-mapped-drive", folders, mappedDrive},
		{"folder-network", folders, folderNetwork},
		{"folder-space", folders, space},
		{"folder-inodes", folders, inodes},
		{"folder-clock", folders, folderClock},
		{"folder-antivirus", folders, antivirus},
		{"folder-letter-case", folders, letterCase},
		{"drop-archive", drops, sameVolume},
		{"drop-events", drops, events},
		{"ledger-disk", ledgerFolder, ledgerDisk},
		{"ledger-rights", ledgerFolder, ledgerRights},
		{"ledger-space", ledgerFolder, onceMade(space)},
		{"ledger-inodes", ledgerFolder, onceMade(inodes)},
		{"ledger-fsync", ledgerFolder, onceMade(fsync)},
		{"ledger-integrity", ledgerFolder, integrity},
		{"ledger-version", ledgerFolder, schema},
		{"ledger-owner", ledgerFolder, identity},
		{"held-invoices", ledgerFolder, held},
		{"uncertain-invoices", ledgerFolder, uncertain},
		{"api-proxy", once, proxy},
		{"api-name", once, name},
		{"api-reachable", once, reachable},
		{"api-tls", once, certificate},
		{"api-clock", once, apiClock},
		{"api-token", companies, tokenValid},
		{"token-days", once, tokenDays},
		{"company-registered", companies, registered},
		{"callbacks-registered", companies, callbacks},
		{"callback-loop", callbackURL, loop},
		{"callback-failures", calledCompanies, callbackFailures},
		{"callback-log", callbackURL, callbackLog},
		{"sftp-connect", remote, sftpConnect},
		{"sftp-rename", remote, sftpRename},
		{"sftp-clock", remote, sftpClock},
	}
}

func once(Setup) []string           { return []string{""} }
func remote(s Setup) []string       { return s.Remote }
func ledgerFolder(s Setup) []string { return []string{s.Ledger.Path} }

func folders(s Setup) []string { return paths(s, func(Folder) bool { return true }) }
func drops(s Setup) []string   { return paths(s, func(f Folder) bool { return f.Drop }) }

func paths(s Setup, keep func(Folder) bool) (all []string) {
	for _, f := range s.Folders {
		if keep(f) {
			all = append(all, f.Path)
		}
	}
	return all
}

func companies(s Setup) (ids []string) {
	for _, c := range s.Companies {
		ids = append(ids, c.ID)
	}
	return ids
}

// calledCompanies are those that the platform should call.
func calledCompanies(s Setup) []string {
	if s.CallbackURL == "" {
		return nil
	}
	return companies(s)
}

func callbackURL(s Setup) []string {
	if s.CallbackURL == "" {
		return nil
	}
	return []string{s.CallbackURL}
}

// Run measures everything and hands each finding over as it comes.
func Run(ctx context.Context, s Setup, m Machine, found func(Finding)) {
	e := &exam{Setup: s, machine: m, hosts: sftpplace.NewHosts(s.SFTP)}
	defer e.hosts.Close()
	e.hello = e.greetOnce(ctx)
	for _, c := range checks() {
		for _, subject := range c.subjects(s) {
			cctx, cancel := context.WithTimeout(ctx, perCheck)
			v := c.measure(cctx, e, subject)
			cancel()
			found(Finding{Check: c.name, Subject: subject, Grade: v.grade, Seen: v.seen, Remedy: v.remedy})
		}
	}
}

// told is an error in the words of the catalogue, where it has them.
func (e *exam) told(err error) (seen, remedy string) {
	var apiErr *api.Error
	if errors.As(err, &apiErr) && apiErr.Problem.Code != "" {
		return apiErr.Problem.Message(e.Lang), apiErr.Problem.Remedy(e.Lang)
	}
	var p problem.Problem
	if errors.As(err, &p) {
		return p.Message(e.Lang), p.Remedy(e.Lang)
	}
	return err.Error(), ""
}
