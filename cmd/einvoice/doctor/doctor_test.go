package doctor

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// platform answers as the test wants.
type platform struct {
	list     error
	known    bool
	register error
}

func (p platform) Registered(context.Context, string) (api.Registration, bool, error) {
	return api.Registration{}, p.known, p.register
}

func (p platform) List(context.Context, api.Query) iter.Seq2[connector.Remote, error] {
	return func(yield func(connector.Remote, error) bool) {
		if p.list != nil {
			yield(connector.Remote{}, p.list)
		}
	}
}

// healthy is a set-up in which nothing fails: local folders, a ledger, a
// platform on this machine.
func healthy(t *testing.T) (Setup, Machine) {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"drop", "archive"} {
		if err := os.Mkdir(at(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"einvoice.toml": "", "token.txt": "0123456789abcdef01234567"} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", noon.Format(http.TimeFormat))
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(web.Close)
	company := connector.Company{ID: "acme", FiscalID: "100000009"}
	s := Setup{
		Config: at("einvoice.toml"), Environment: "sandbox", API: api.Defaults(), Companies: []connector.Company{company},
		Folders: []Folder{{Path: at("drop"), Archive: at("archive"), Drop: true}, {Path: at("archive")}},
		Ledger:  ledger.Config{Path: at("data")}, Secrets: []string{at("token.txt")}, CallbackURL: web.URL,
		Platform: platform{known: true}, Lang: problem.English,
		Registration: func(context.Context, string) (string, error) { return "", nil },
		Calls: func(context.Context, time.Time) ([]api.Call, error) {
			return []api.Call{{URL: web.URL + "/acme/x", Status: 200, At: noon}, {URL: "https://another.example/", Status: 500, At: noon}}, nil
		},
	}
	s.API.BaseURL, s.API.TokenFile = web.URL, at("token.txt")
	if err := os.Mkdir(s.Ledger.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), s.Ledger, ledger.Options{Identity: ledger.Identity{BaseURL: web.URL, Companies: s.Companies}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return s, calm()
}

// calm is a machine on which nothing is wrong, whatever the test runs on.
func calm() Machine {
	return Machine{
		Now: func() time.Time { return noon }, Administrator: func() bool { return false },
		Owner:  func(string) (string, bool, error) { return "einvoice", true, nil },
		Others: Local().Others,
		Disk: func(string) (Disk, error) {
			return Disk{Kind: "ext4", Free: 100 << 30, Inodes: 1 << 20, FreeInodes: 1 << 19}, nil
		},
		Umask: func() int { return 0o027 }, OpenFiles: func() uint64 { return 1024 },
		Events: func(context.Context, string, func() error) bool { return true },
		Write:  func(string) (time.Duration, time.Time, error) { return time.Millisecond, noon, nil },
		Rename: func(string, string) error { return nil },
		Fold:   func(string) (bool, error) { return false, nil },
	}
}

func run(t *testing.T, s Setup, m Machine) map[string]Finding {
	t.Helper()
	worst := map[string]Finding{}
	rank := map[Grade]int{OK: 0, Warn: 1, Fail: 2}
	Run(t.Context(), s, m, func(f Finding) {
		if old, seen := worst[f.Check]; !seen || rank[f.Grade] > rank[old.Grade] {
			worst[f.Check] = f
		}
	})
	return worst
}

func TestNothingFailsWhereAllIsWell(t *testing.T) {
	s, m := healthy(t)
	for name, f := range run(t, s, m) {
		if f.Grade != OK {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if n := len(checks()); n < 25 {
		t.Errorf("%d checks, want at least 25", n)
	}
}

func TestThisMachineIsMeasuredForReal(t *testing.T) {
	s, _ := healthy(t)
	m := Local()
	for _, name := range []string{"folder-exists", "folder-rights", "folder-mapped-drive", "drop-archive", "folder-letter-case", "open-files", "folder-clock"} {
		if f := run(t, s, m)[name]; f.Grade == Fail {
			t.Errorf("%s: %+v", name, f)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Folders[0].Path, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// breaking has, for each check, a way to make it fail.
type breaking func(t *testing.T, s *Setup, m *Machine)

func sick() map[string]breaking {
	disk := func(d Disk) breaking {
		return func(_ *testing.T, _ *Setup, m *Machine) { m.Disk = func(string) (Disk, error) { return d, nil } }
	}
	open := func(path func(*Setup) string) breaking {
		return func(t *testing.T, s *Setup, m *Machine) {
			bad := path(s)
			m.Others = func(p string) (bool, bool, error) { return p == bad, p == bad, nil }
		}
	}
	slow := func(d time.Duration) breaking {
		return func(_ *testing.T, _ *Setup, m *Machine) {
			m.Write = func(string) (time.Duration, time.Time, error) { return d, noon, nil }
		}
	}
	unauthorised := &api.Error{Op: "list invoices", Fate: api.Stopped, HTTP: http.StatusUnauthorized, Message: "Wrong Token"}
	sftp := func(_ *testing.T, s *Setup, _ *Machine) {
		section := sftpplace.Defaults()
		section.Host, section.User, section.PasswordEnv = "127.0.0.1:1", "erp", "NO_SUCH_PASSWORD"
		section.HostKeys = []string{"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"}
		s.SFTP, s.Remote = []sftpplace.Config{section}, []string{"sftp://erp@127.0.0.1:1/out"}
	}
	unreachable := func(_ *testing.T, s *Setup, _ *Machine) { s.API.BaseURL = "https://127.0.0.1:1" }
	return map[string]breaking{
		"service-account": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Owner = func(string) (string, bool, error) { return "somebody", false, nil }
		},
		"umask":             func(_ *testing.T, _ *Setup, m *Machine) { m.Umask = func() int { return 0 } },
		"open-files":        func(_ *testing.T, _ *Setup, m *Machine) { m.OpenFiles = func() uint64 { return 64 } },
		"config-rights":     open(func(s *Setup) string { return s.Config }),
		"secret-rights":     open(func(s *Setup) string { return s.Secrets[0] }),
		"token":             func(_ *testing.T, s *Setup, _ *Machine) { s.API.TokenFile += ".absent" },
		"token-environment": func(_ *testing.T, s *Setup, _ *Machine) { s.API.TokenFile = "production.token" },
		"folder-exists":     func(_ *testing.T, s *Setup, _ *Machine) { s.Folders[0].Path += "-absent" },
		"folder-rights": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Write = func(string) (time.Duration, time.Time, error) { return 0, noon, fs.ErrPermission }
		},
		"folder-mapped-drive": disk(Disk{Letter: "Z:", Network: true, Free: 1 << 40}),
		"folder-network": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Disk = func(string) (Disk, error) { return Disk{}, errors.New("stale file handle") }
		},
		"folder-space":  disk(Disk{Free: 1 << 20}),
		"folder-inodes": disk(Disk{Free: 1 << 40, Inodes: 1 << 20, FreeInodes: 3}),
		"folder-clock": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Write = func(string) (time.Duration, time.Time, error) { return 0, noon.Add(-time.Hour), nil }
		},
		"folder-antivirus": slow(8 * time.Second),
		"folder-letter-case": func(_ *testing.T, s *Setup, m *Machine) {
			s.Folders = append(s.Folders, Folder{Path: strings.ToUpper(s.Folders[0].Path)})
			m.Fold = func(string) (bool, error) { return true, nil }
		},
		"drop-archive": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Rename = func(string, string) error { return errors.New("invalid cross-device link") }
		},
		"drop-events": func(_ *testing.T, s *Setup, m *Machine) {
			m.Events = func(context.Context, string, func() error) bool { return false }
			s.Folders[0].Scan = time.Hour
		},
		"ledger-disk":   disk(Disk{Kind: "nfs", Network: true, Free: 1 << 40}),
		"ledger-rights": open(func(s *Setup) string { return s.Ledger.Path }),
		"ledger-space":  disk(Disk{Free: 1 << 20}),
		"ledger-inodes": disk(Disk{Free: 1 << 40, Inodes: 1 << 20, FreeInodes: 3}),
		"ledger-fsync":  slow(3 * time.Second),
		"ledger-integrity": func(t *testing.T, s *Setup, _ *Machine) {
			data, err := os.ReadFile(s.Ledger.File())
			if err != nil {
				t.Fatal(err)
			}
			for i := 8192; i < len(data); i++ { // all pages but the first two
				data[i] = 0x5a
			}
			if err := os.WriteFile(s.Ledger.File(), data, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"ledger-version": func(t *testing.T, s *Setup, _ *Machine) { execute(t, s, "PRAGMA user_version = 99") },
		"ledger-owner":   func(t *testing.T, s *Setup, _ *Machine) { s.API.BaseURL = "https://invoice.example" },
		"held-invoices":  func(t *testing.T, s *Setup, _ *Machine) { invoiceIn(t, s, ledger.Held, noon.Add(-8*24*time.Hour)) },
		"uncertain-invoices": func(t *testing.T, s *Setup, _ *Machine) {
			invoiceIn(t, s, ledger.Uncertain, noon.Add(-25*time.Hour))
		},
		"api-proxy":     func(_ *testing.T, s *Setup, _ *Machine) { s.API.Proxy = "http://127.0.0.1:1" },
		"api-name":      func(_ *testing.T, s *Setup, _ *Machine) { s.API.BaseURL = "https://no-such-host.invalid" },
		"api-reachable": unreachable,
		"api-tls":       func(_ *testing.T, s *Setup, _ *Machine) { s.API.BaseURL = "http://192.0.2.1" },
		"api-clock": func(_ *testing.T, _ *Setup, m *Machine) {
			m.Now = func() time.Time { return noon.Add(time.Hour) }
		},
		"api-token":          func(_ *testing.T, s *Setup, _ *Machine) { s.Platform = platform{list: unauthorised} },
		"company-registered": func(_ *testing.T, s *Setup, _ *Machine) { s.Platform = platform{} },
		"callbacks-registered": func(_ *testing.T, s *Setup, _ *Machine) {
			s.Registration = func(context.Context, string) (string, error) { return "retry: 0, want 5", nil }
		},
		"token-days": func(_ *testing.T, s *Setup, _ *Machine) { s.TokenEnds = noon.Add(-time.Hour) },
		"callback-failures": func(t *testing.T, s *Setup, _ *Machine) {
			execute(t, s, "PRAGMA foreign_keys = OFF")
			at := noon.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
			execute(t, s, "INSERT INTO event (place, company, invoice_id, kind, occurred_at, recorded_at) VALUES ('acme', 'acme', 1, 'STATUS', ?, ?)", at, at)
		},
		"callback-log": func(_ *testing.T, s *Setup, _ *Machine) {
			at := s.CallbackURL + "/acme/x"
			s.Calls = func(context.Context, time.Time) ([]api.Call, error) { return []api.Call{{URL: at, At: noon}}, nil }
		},
		"callback-loop": func(_ *testing.T, s *Setup, _ *Machine) { s.CallbackURL = "http://127.0.0.1:1" },
		"sftp-connect":  sftp,
		"sftp-rename":   sftp,
		"sftp-clock":    sftp,
	}
}

func TestEachCheckFailsWhereItShouldWithARemedy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "")
	ways := sick()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			s, m := healthy(t)
			spoil := ways[c.name]
			if spoil == nil {
				t.Fatal("nobody shows this check failing")
			}
			spoil(t, &s, &m)
			f := only(t, s, m, c.name)
			if f.Grade != Fail || f.Seen == "" || f.Remedy == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

// only runs one check.
func only(t *testing.T, s Setup, m Machine, name string) (worst Finding) {
	t.Helper()
	e := &exam{Setup: s, machine: m, hosts: sftpplace.NewHosts(s.SFTP)}
	defer e.hosts.Close()
	e.hello = e.greetOnce(t.Context())
	for _, c := range checks() {
		if c.name != name {
			continue
		}
		for _, subject := range c.subjects(s) {
			if v := c.measure(t.Context(), e, subject); v.grade > worst.Grade || worst.Grade == "" || v.grade == Fail {
				worst = v.in(s.Lang, c, subject)
				if v.grade == Fail {
					return worst
				}
			}
		}
	}
	return worst
}

func execute(t *testing.T, s *Setup, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", s.Ledger.File())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestTokenNamedForTheOtherEnvironment(t *testing.T) {
	for _, c := range []struct{ file, environment, want string }{
		{"token.txt", "production", ""}, {"token.txt", "sandbox", ""},
		{"token-sandbox.txt", "production", "the sandbox"}, {"prod.token", "sandbox", "production"},
		{"/srv/prod/token.txt", "sandbox", ""}, {"prod-test.txt", "sandbox", ""},
	} {
		if got := OtherEnvironment(c.file, c.environment).English; got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.file, c.environment, got, c.want)
		}
	}
}

// invoiceIn puts an invoice into a state without the way that leads there.
func invoiceIn(t *testing.T, s *Setup, state ledger.State, created time.Time) {
	t.Helper()
	execute(t, s, `INSERT INTO invoice (file_id, ordinal, source_rows, source_row, company, seller_siren, document_number, issue_year,
		issue_date, is_credit, buyer_siren, gross, gross_plain, currency, fingerprint, verdict, state, problems, created_at)
		VALUES (1, 1, '2', 2, 'acme', '100000009', 'F-1', 2026, '2026-11-01', 0, '200000008', '12.00', '12', 'EUR', 'x', 'QUEUED', ?, '[]', ?)`,
		string(state), created.Format("2006-01-02T15:04:05.000Z"))
	execute(t, s, "INSERT INTO tally (company, state, platform_state, invoices, newest) VALUES ('acme', ?, '', 1, 1)", string(state))
}

// englishWord is what no French text has, but for what the system itself says.
var englishWord = regexp.MustCompile(`(?i)\b(the|is|are|not|and|with|for|this|that|to|of|see|there|correct it)\b`)

func TestInFrenchEveryFindingIsFrench(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "")
	check := func(t *testing.T, f Finding) {
		for _, text := range []string{f.Title, f.Seen, f.Remedy} {
			said, _, _ := strings.Cut(text, "le système répond : ")
			if word := englishWord.FindString(said); word != "" {
				t.Errorf("%s: %q in %q", f.Check, word, text)
			}
		}
	}
	s, m := healthy(t)
	s.Lang = problem.French
	for _, f := range run(t, s, m) {
		check(t, f)
	}
	for name, spoil := range sick() {
		t.Run(name, func(t *testing.T) {
			s, m := healthy(t)
			s.Lang = problem.French
			spoil(t, &s, &m)
			if name == "callbacks-registered" {
				return // the difference comes in the language of the inbox
			}
			check(t, only(t, s, m, name))
		})
	}
}

func TestChecksHaveOneNameEachInFrench(t *testing.T) {
	seen := map[string]string{}
	for _, c := range checks() {
		if c.french == "" || seen[c.french] != "" || len([]rune(c.french)) > 22 {
			t.Errorf("%s: %q, as %q", c.name, c.french, seen[c.french])
		}
		seen[c.french] = c.name
	}
}
