// Package doctor measures whether this machine, its places and the platform let
// einvoice do its work, and says what to type where they do not.
//
// Every check measures: it writes, renames, asks. What it leaves behind it
// removes. It changes no invoice.
package doctor

import (
	"context"
	"iter"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
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
	Title   string `json:"-"` // the check's name for people
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
	name     string // a code
	french   string // its name for people; in English they see the code
	subjects func(Setup) []string
	measure  func(ctx context.Context, e *exam, subject string) verdict
}

type verdict struct {
	grade        Grade
	seen, remedy setting.Phrase
}

func ok(seen setting.Phrase) verdict           { return verdict{grade: OK, seen: seen} }
func warn(seen, remedy setting.Phrase) verdict { return verdict{Warn, seen, remedy} }
func fail(seen, remedy setting.Phrase) verdict { return verdict{Fail, seen, remedy} }

// exam is one run over a setup.
type exam struct {
	Setup
	machine Machine
	hosts   *sftpplace.Hosts
	hello   func() greeting // the platform's answer to one request, asked once
}

// perCheck bounds one measurement: a share or a server that hangs is a finding.
const perCheck = 30 * time.Second

// checks stand in the order in which they run.
func checks() []check {
	return []check{
		{"service-account", "compte du service", once, serviceAccount},
		{"umask", "umask", once, umask},
		{"open-files", "fichiers ouverts", once, openFiles},
		{"config-rights", "configuration, droits", once, configRights},
		{"secret-rights", "secrets, droits", func(s Setup) []string { return s.Secrets }, secretRights},
		{"token", "jeton", once, tokenPresent},
		{"token-environment", "jeton, environnement", once, tokenEnvironment},
		{"folder-exists", "dossier présent", folders, folderExists},
		{"folder-rights", "dossier, droits", folders, folderRights},
		{"folder-mapped-drive", "dossier, lecteur", folders, mappedDrive},
		{"folder-network", "dossier, réseau", folders, folderNetwork},
		{"folder-space", "dossier, espace", folders, space},
		{"folder-inodes", "dossier, inodes", folders, inodes},
		{"folder-clock", "dossier, horloge", folders, folderClock},
		{"folder-antivirus", "dossier, antivirus", folders, antivirus},
		{"folder-letter-case", "dossier, casse", folders, letterCase},
		{"drop-archive", "dépôt, archivage", drops, sameVolume},
		{"drop-events", "dépôt, événements", drops, events},
		{"ledger-disk", "registre, disque", ledgerFolder, ledgerDisk},
		{"ledger-rights", "registre, droits", ledgerFolder, ledgerRights},
		{"ledger-space", "registre, espace", ledgerFolder, onceMade(space)},
		{"ledger-inodes", "registre, inodes", ledgerFolder, onceMade(inodes)},
		{"ledger-fsync", "registre, fsync", ledgerFolder, onceMade(fsync)},
		{"ledger-integrity", "registre, intégrité", ledgerFolder, integrity},
		{"ledger-version", "registre, version", ledgerFolder, schema},
		{"ledger-owner", "registre, API", ledgerFolder, identity},
		{"held-invoices", "factures à vérifier", ledgerFolder, held},
		{"uncertain-invoices", "factures incertaines", ledgerFolder, uncertain},
		{"api-proxy", "API, proxy", once, proxy},
		{"api-name", "API, nom", once, name},
		{"api-reachable", "API, connexion", once, reachable},
		{"api-tls", "API, TLS", once, certificate},
		{"api-clock", "API, horloge", once, apiClock},
		{"api-token", "API, jeton", companies, tokenValid},
		{"token-days", "jeton, échéance", once, tokenDays},
		{"company-registered", "société enregistrée", companies, registered},
		{"callbacks-registered", "rappels enregistrés", companies, callbacks},
		{"callback-loop", "rappels, essai", callbackURL, loop},
		{"callback-failures", "rappels manqués", calledCompanies, callbackFailures},
		{"callback-log", "rappels, relevé", callbackURL, callbackLog},
		{"sftp-connect", "SFTP, connexion", remote, sftpConnect},
		{"sftp-rename", "SFTP, renommage", remote, sftpRename},
		{"sftp-clock", "SFTP, horloge", remote, sftpClock},
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
			found(v.in(s.Lang, c, subject))
		}
	}
}
