package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/sftp"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// sftpRig is an installation whose ERP and accountant see an SFTP server only.
type sftpRig struct {
	t      *testing.T
	box    *sandbox.Sandbox
	api    string
	server sftpServer
	dir    string // of the installation
	remote string // where the server keeps the trees
}

// sftpServer is what tests start: one of this process, or a real one.
type sftpServer interface {
	Section() sftpplace.Config
	URL(dir string) string
}

func newSFTPRig(t *testing.T, server sftpServer, remote, more string) *sftpRig {
	t.Helper()
	box, url := playPlatform(t)
	r := &sftpRig{t: t, box: box, api: url, server: server, dir: t.TempDir(), remote: remote}
	keys := [][3]string{
		{"api", "base_url", `"` + url + `"`}, {"drop", "complete", `"on-appearance"`},
		{"", "shutdown_timeout", `"2s"`}, {"drop", "scan", `"200ms"`}, {"results", "status_every", `"1s"`},
		{"safety", "other_year", `"send"`}, // the examples grow old
	}
	for _, f := range []string{"drop", "results", "refused", "to_check", "archive", "inbox"} {
		keys = append(keys, [3]string{"folders", f, `"` + r.server.URL(filepath.Join(r.remote, f)) + `"`})
	}
	keys = append(keys, [3]string{"inbox.erp", "path", `"` + r.server.URL(filepath.Join(r.remote, "erp")) + `"`})
	s := r.server.Section()
	_, err := initialise(r.dir, "en", frenchStarter, func(config string) string {
		for _, k := range keys {
			config = setKey(config, k[0], k[1], k[2])
		}
		return config + fmt.Sprintf("\n[[sftp]]\nhost = %q\nuser = %q\nkey_file = '%s'\nhost_keys = [%q]\n%s",
			s.Host, s.User, s.KeyFile, s.HostKeys[0], more)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(r.remote, "drop"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lot.toml", "classeur.toml"} {
		r.put(filepath.Join(r.dir, "mappings", name), starterFile(t, name))
	}
	return r
}

func starterFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := starter.ReadFile("starter/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *sftpRig) put(path string, data []byte) {
	r.t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// einvoice runs one command and wants its exit code.
func (r *sftpRig) einvoice(code int, args ...string) string {
	r.t.Helper()
	var out, diag bytes.Buffer
	args = append(args, "--config", filepath.Join(r.dir, "einvoice.toml"))
	if got := execute(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &diag}); got != code {
		r.t.Fatalf("einvoice %v: exit code %d, want %d\n%s%s", args, got, code, &out, &diag)
	}
	return out.String() + diag.String()
}

// see is the content of the files below the server that match, joined.
func (r *sftpRig) see(glob string) string {
	r.t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.remote, glob))
	if err != nil || len(paths) == 0 {
		r.t.Fatalf("nothing is %s; there is: %s", glob, strings.Join(tree(r.remote), "\n  "))
	}
	var all strings.Builder
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			r.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func (r *sftpRig) contains(text string, want ...string) {
	r.t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			r.t.Errorf("no %q in:\n%s", w, text)
		}
	}
}

// TestMainJobOverSFTPOnly is the whole way: the ERP drops exports on a server,
// reads the answers there, the accountant corrects a refused copy there, and
// nobody ever looks at the connector's machine.
func TestMainJobOverSFTPOnly(t *testing.T) {
	t.Run("pkg/sftp", func(t *testing.T) {
		s := sftptest.Start(t, sftptest.Options{})
		newSFTPRig(t, s, s.Dir, "").mainJob()
	})
	t.Run("OpenSSH", func(t *testing.T) {
		s := sftptest.StartSshd(t)
		newSFTPRig(t, s, s.Dir, "").mainJob()
	})
}

func (r *sftpRig) mainJob() {
	t, s := r.t, r.server.Section()
	r.contains(r.einvoice(0, "check", "--online"), "/drop: the host key is the known one", "/results: the host key is the known one",
		"/inbox: the host key is the known one")
	r.contains(r.einvoice(0, "sftp-key", s.Host), s.HostKeys[0])
	r.einvoice(0, "register")

	r.put(filepath.Join(r.remote, "drop", "ventes.csv"), starterFile(t, "ventes_novembre.csv"))
	r.put(filepath.Join(r.remote, "drop", "lot.xml"), starterFile(t, "lot_2026-11.xml"))
	r.einvoice(exitRefused, "run", "--once")
	r.contains(r.see("results/ventes.csv.*.ack.csv"), "FA-2026-1001;QUEUED", "FA-2026-1003;REFUSED")
	r.contains(r.see("results/status_*.csv"), "FA-2026-1001", "SENT")
	r.contains(r.see("archive/*/*"), "FA-2026-1001")
	if n := len(r.box.Books().Documents); n != 4 {
		t.Errorf("the platform has %d invoices, want 4", n)
	}

	copies, err := filepath.Glob(filepath.Join(r.remote, "refused", "ventes*.refused.1.csv"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("correctable copies: %v", copies)
	}
	data, err := os.ReadFile(copies[0])
	if err != nil {
		t.Fatal(err)
	}
	r.put(filepath.Join(r.remote, "drop", "corrected.csv"), bytes.ReplaceAll(data, []byte("4O,00"), []byte("40,00")))
	r.einvoice(0, "run", "--once")
	r.contains(r.see("results/corrected.csv.*.ack.csv"), "FA-2026-1003;QUEUED")
	if d := r.box.Books().Twice(); len(d) > 0 {
		t.Errorf("sent twice: %v", d)
	}
	left, err := filepath.Glob(filepath.Join(r.remote, "drop", "[^.]*")) // our owner marker stays
	if err != nil || len(left) > 0 {
		t.Errorf("left in the drop: %v %v", left, err)
	}
	r.supplierInvoice()
}

// supplierInvoice arrives in the accountant's folder on the server, with the
// month's register, and comes again when it was taken away and asked for.
func (r *sftpRig) supplierInvoice() {
	r.t.Helper()
	answer, err := http.Post(r.api+"/sandbox/supplier-invoices", "application/json",
		strings.NewReader(`{"fiscal_id":"10000000900017","supplier_name":"Dépôt du Nord","document_number":"DN-77","amount":125,"with_pdf":true}`))
	if err != nil {
		r.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		r.t.Fatalf("supplier invoice: %s", answer.Status)
	}
	r.einvoice(0, "run", "--once")
	r.contains(r.see("inbox/*/*Dépôt du Nord DN-77*/invoice.json"), `"DN-77"`)
	r.contains(r.see("inbox/*/*/invoice.csv"), "DN-77")
	r.contains(r.see("inbox/*/*/*.pdf"), "%PDF-")
	r.contains(r.see("inbox/register-*.csv"), "DN-77")
	r.contains(r.see("erp/*.csv"), "DN-77")
	if left, _ := filepath.Glob(filepath.Join(r.remote, "inbox", ".*")); len(left) > 0 {
		r.t.Errorf("left behind: %s", left)
	}
	folders, err := filepath.Glob(filepath.Join(r.remote, "inbox", "*", "*DN-77*"))
	if err != nil || len(folders) != 1 {
		r.t.Fatalf("delivered %s, %v", folders, err)
	}
	if err := os.Rename(folders[0], filepath.Join(r.t.TempDir(), "booked")); err != nil {
		r.t.Fatal(err)
	}
	r.einvoice(0, "run", "--once")
	if again, _ := filepath.Glob(filepath.Join(r.remote, "inbox", "*", "*DN-77*")); len(again) > 0 {
		r.t.Errorf("what staff took away came again: %s", again)
	}
	r.einvoice(0, "redeliver", "DN-77")
	r.see("inbox/*/*DN-77*/invoice.json")
}

// TestChangedHostKeyStopsItsDropAlone: somebody else answers at the server's
// address. Its drop stands still and says why, another drop goes on, and the
// answers wait until the server is itself again.
func TestChangedHostKeyStopsItsDropAlone(t *testing.T) {
	server := sftptest.Start(t, sftptest.Options{})
	r := newSFTPRig(t, server, server.Dir, "\n[[drop]]\nname = \"here\"\npath = 'here'\nscan = \"200ms\"\ncomplete = \"on-appearance\"\nafter = \"leave\"\n")
	r.einvoice(0, "register")
	if err := os.MkdirAll(filepath.Join(r.dir, "here"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.put(filepath.Join(r.remote, "drop", "ventes.csv"), starterFile(t, "ventes_novembre.csv"))
	r.put(filepath.Join(r.dir, "here", "lot.xml"), starterFile(t, "lot_2026-11.xml"))
	server.Stop()
	impostor := sftptest.Start(t, sftptest.Options{Listen: server.Addr})
	said := r.einvoice(exitUnfinished, "run", "--once")
	if n := len(r.box.Books().Documents); n != 2 {
		t.Errorf("the platform has %d invoices, want the 2 of the other drop", n)
	}
	r.contains(said, "is not the known one")
	r.contains(r.einvoice(exitFailure, "check", "--online"), "is not the known one", "einvoice sftp-key")
	if _, err := os.Stat(filepath.Join(r.remote, "drop", "ventes.csv")); err != nil {
		t.Errorf("the export moved: %v", err)
	}
	impostor.Stop()
	sftptest.Start(t, sftptest.Options{Listen: server.Addr, Host: server.Host, Account: server.Account})
	r.einvoice(exitRefused, "run", "--once")
	r.contains(r.see("results/lot.xml.*.ack.csv"), "QUEUED")
	r.contains(r.see("results/ventes.csv.*.ack.csv"), "FA-2026-1001;QUEUED")
}

// TestServerThatLetsUsOnlyRead: with after = "leave" its exports are sent once,
// whatever the number of starts, and stay as they are; a changed one counts as new.
func TestServerThatLetsUsOnlyRead(t *testing.T) {
	server := sftptest.Start(t, sftptest.Options{Serve: func(ch io.ReadWriteCloser) error {
		s, err := sftp.NewServer(ch, sftp.ReadOnly())
		if err != nil {
			return err
		}
		return s.Serve()
	}})
	r := newSFTPRig(t, server, server.Dir, "")
	path := filepath.Join(r.dir, "einvoice.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config := setKey(setKey(string(text), "drop", "after", `"leave"`), "inbox.erp", "path", `""`)
	for _, f := range []string{"results", "refused", "to_check", "archive", "inbox"} {
		config = setKey(config, "folders", f, `"`+f+`"`)
	}
	r.put(path, []byte(config))
	r.einvoice(0, "register")
	export := filepath.Join(r.remote, "drop", "lot.xml")
	data := starterFile(t, "lot_2026-11.xml")
	r.put(export, data)
	for range 3 {
		r.einvoice(0, "run", "--once")
	}
	if n := len(r.box.Books().Documents); n != 2 {
		t.Errorf("the platform has %d invoices, want 2", n)
	}
	if d := r.box.Books().Twice(); len(d) > 0 {
		t.Errorf("sent twice: %v", d)
	}
	if left, err := os.ReadFile(export); err != nil || !bytes.Equal(left, data) {
		t.Errorf("the export was touched: %v", err)
	}
	acks, err := filepath.Glob(filepath.Join(r.dir, "results", "lot.xml.*.ack.csv"))
	if err != nil || len(acks) != 1 {
		t.Errorf("acknowledgements %v, %v; want one", acks, err)
	}
	r.put(export, bytes.ReplaceAll(data, []byte("LOT-0502"), []byte("LOT-0503")))
	r.einvoice(0, "run", "--once")
	if n := len(r.box.Books().Documents); n != 3 {
		t.Errorf("after the change the platform has %d invoices, want 3", n)
	}
}

// TestPlacesOnServersAreChecked has one mistake a row.
func TestPlacesOnServersAreChecked(t *testing.T) {
	const section = "\n[[sftp]]\nhost = \"sftp.example.com\"\nuser = \"erp\"\nkey_file = 'k'\nhost_keys = [\"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\"]\n"
	for _, c := range []struct{ name, key, value, more, want string }{
		{"no section", "drop", `"sftp://erp@other.example/drop"`, section, "folders.drop: is on other.example:22, which no [[sftp]]"},
		{"password in the address", "results", `"sftp://erp:canary@sftp.example.com/x"`, section, "folders.results: holds a password"},
		{"no directory", "results", `"sftp://erp@sftp.example.com"`, section, "must name a directory"},
		{"inbox on a mailbox", "inbox", `"sftp://erp@sftp.example.com/x"`, section + "profile = \"compat\"\n", "folders.inbox: is on a server with profile"},
		{"inbox without a section", "inbox", `"sftp://erp@other.example/x"`, section, "folders.inbox: is on other.example:22, which no [[sftp]]"},
		{"mailbox that should archive", "drop", `"sftp://sftp.example.com/x"`, section + "profile = \"compat\"\n", `drop[0].after: is "archive"`},
		{"archive on a server, drop here", "archive", `"sftp://sftp.example.com/x"`, section, "drop[0].path: is a folder of this machine, but its archive"},
		{"nothing known of the key", "drop", `"sftp://sftp.example.com/x"`, strings.ReplaceAll(section, "host_keys", "#"), "sftp[0].host_keys: is missing: no server is trusted at first sight"},
		{"no login", "drop", `"sftp://sftp.example.com/x"`, strings.ReplaceAll(section, "key_file", "#"), "sftp[0].key_file: is missing"},
		{"a key that is no fingerprint", "drop", `"sftp://sftp.example.com/x"`, strings.ReplaceAll(section, "SHA256:", "MD5:"), "which is no fingerprint"},
		{"proxy with a secret", "drop", `"sftp://sftp.example.com/x"`, section + "proxy = \"ftp://u:canary@h\"\n", "sftp[0].proxy: must be the URL"},
		{"unknown key", "drop", `"sftp://sftp.example.com/x"`, section + "pasword_file = 'x'\n", "did you mean sftp.password_file?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := parseConfig([]byte(setKey(exampleConfig, "folders", c.key, c.value) + c.more))
			all := setting.Faults{File: "f", List: faults}.Error()
			if !strings.Contains(all, c.want) || strings.Contains(all, "canary") {
				t.Errorf("want %q, and no secret, in:\n%s", c.want, all)
			}
		})
	}
}

func TestCheckSaysWhatAMailboxCannotPromise(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	r := newSFTPRig(t, s, s.Dir, "")
	path := filepath.Join(r.dir, "einvoice.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(setKey(setKey(string(text), "folders", "inbox", `"recues"`), "inbox.erp", "path", `""`))
	r.put(path, []byte(setKey(string(text), "drop", "after", `"delete"`)+"profile = \"compat\"\n"))
	r.contains(r.einvoice(0, "check"), `profile = "compat" may delete a file once it was read`)
}
