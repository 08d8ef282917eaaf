package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"einvoice/connector"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
)

// taggedBinary builds the program with failpoints, once.
var taggedBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "einvoice-faults-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "einvoice")
	if out, err := exec.Command("go", "build", "-trimpath", "-tags", "faults", "-o", name, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// workload is what flows while something fails.
type workload struct {
	name        string
	exports     map[string]string // name and content
	suppliers   int               // supplier invoices that arrive
	callbacks   bool              // the platform calls
	server      bool              // drop and results are on an SFTP server
	otherVolume bool              // the archive is on another volume than the drop
	settings    [][3]string
	doubtful    string // the number whose answer is lost
}

// sentNumbers are the numbers that must be at the platform, each once.
func (w workload) sentNumbers() map[string]bool {
	want := map[string]bool{"LATE-1": true}
	for _, content := range w.exports {
		for _, line := range strings.Split(content, "\n")[1:] {
			number, rest, ok := strings.Cut(line, ";")
			if ok && !strings.HasSuffix(rest, wrongTotal) {
				want[number] = true
			}
		}
	}
	return want
}

const (
	wrongTotal = ";13.00"
	faultHead  = "number;date;client;siret;item;qty;price;vat;total\n"
)

// faultRow is an invoice of one line; a wrong one is refused before it is sent.
func faultRow(number string, wrong bool) string {
	total := ";12.00"
	if wrong {
		total = wrongTotal
	}
	return number + ";2026-11-02;Client;20000000800017;Article;1;10.00;20" + total + "\n"
}

// workloads are the four ways in which the points are passed.
func workloads() []workload {
	batch := faultHead
	for i := range 9 {
		batch += faultRow(fmt.Sprintf("BA-%d", i), i == 4)
	}
	many := map[string]string{}
	for i := range 6 {
		many[fmt.Sprintf("bench%d.csv", i)] = faultHead + faultRow(fmt.Sprintf("MA-%d", i), false)
	}
	some := faultHead + faultRow("CB-0", false) + faultRow("CB-1", false) + faultRow("CB-2", true)
	return []workload{
		{name: "batch", exports: map[string]string{"bench.csv": batch}, otherVolume: true, doubtful: "BA-2", suppliers: 1,
			settings: [][3]string{{"results", "ok_file", "true"}}},
		{name: "many", exports: many, doubtful: "MA-3", settings: [][3]string{{"drop", "after", `"delete"`}}},
		{name: "callbacks", exports: map[string]string{"bench.csv": some}, callbacks: true, suppliers: 2, doubtful: "CB-1"},
		{name: "sftp", exports: map[string]string{"bench1.csv": some, "bench2.csv": faultHead + faultRow("SF-0", false)}, server: true},
	}
}

// faultRig is one installation with its platform, for one run.
type faultRig struct {
	t      *testing.T
	w      workload
	box    *sandbox.Sandbox
	dir    string // of the installation
	people string // where people and the ERP see the folders
}

func newFaultRig(t *testing.T, w workload) *faultRig {
	t.Helper()
	r := &faultRig{t: t, w: w, dir: t.TempDir()}
	r.people = r.dir
	var url string
	r.box, url = playPlatform(t)
	keys := append([][3]string{
		{"api", "base_url", `"` + url + `"`}, {"drop", "complete", `"on-appearance"`}, {"drop", "scan", `"100ms"`},
		{"outbox", "lookups", `["20ms"]`}, {"outbox", "retry_min", `"10ms"`}, {"outbox", "retry_max", `"50ms"`},
		{"outbox", "proofs_over", `"20ms"`}, {"outbox", "probe", `"20ms"`}, {"outbox", "workers", "3"},
		{"inbox.poll", "young", `"1s"`}, {"inbox.poll", "list", `"1s"`}, {"inbox.poll", "budget", "100000"},
		{"results", "status_every", `"1s"`}, {"", "shutdown_timeout", `"2s"`}, {"log", "level", `"warn"`},
		{"admin", "enabled", "false"},
		{"safety", "other_year", `"send"`}, // the exports have the dates that they were written at
		{"slip", "at", `""`},               // its hour may come in one run and not in the other
	}, w.settings...)
	more := ""
	if w.callbacks {
		keys = append(keys, r.callbackKeys()...)
	}
	if w.server {
		keys, more = r.serverKeys(keys)
	}
	_, err := initialise(r.dir, "en", frenchStarter, func(config string) string {
		for _, k := range keys {
			config = setKey(config, k[0], k[1], k[2])
		}
		return config + more
	})
	r.must(err)
	r.must(os.WriteFile(filepath.Join(r.dir, "mappings", "bench.toml"), []byte(benchMapping), 0o644))
	r.must(os.Remove(filepath.Join(r.dir, "mappings", "ventes.toml")))
	if w.callbacks {
		r.must(newSecret(filepath.Join(r.dir, "secret.txt")))
	}
	if w.otherVolume {
		r.otherVolume()
	}
	r.register()
	return r
}

func (r *faultRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// callbackKeys lets the platform call on a port that is free now.
func (r *faultRig) callbackKeys() [][3]string {
	addr := ownPort(r.t)
	return [][3]string{{"inbox.callback", "enabled", "true"}, {"inbox.callback", "listen", `"` + addr + `"`},
		{"inbox.callback", "public_url", `"http://` + addr + `"`}, {"inbox.callback", "secret_file", "'secret.txt'"}}
}

var portsGiven atomic.Int32

// ownPort is a free address that nobody else is given: not one of those the
// kernel hands out to whoever connects, as the daemon comes back to it.
func ownPort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		n := (os.Getpid()*37 + int(portsGiven.Add(1))) % 20_000
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+n)); err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (r *faultRig) serverKeys(keys [][3]string) ([][3]string, string) {
	server := sftptest.Start(r.t, sftptest.Options{})
	r.people = server.Dir
	for _, f := range []string{"drop", "results", "refused", "to_check", "archive"} {
		keys = append(keys, [3]string{"folders", f, `"` + server.URL(filepath.Join(r.people, f)) + `"`})
	}
	r.must(os.Mkdir(filepath.Join(r.people, "drop"), 0o755))
	return keys, fmt.Sprintf("\n[[sftp]]\nhost = %q\nuser = \"erp\"\nkey_file = '%s'\nhost_keys = [%q]\n",
		server.Addr, server.KeyFile, ssh.FingerprintSHA256(server.Host.PublicKey()))
}

// otherVolume puts the archive where a rename from the drop does not reach.
func (r *faultRig) otherVolume() {
	if runtime.GOOS != "linux" {
		return
	}
	other := "/dev/shm"
	if strings.HasPrefix(r.dir, other) {
		other = "/var/tmp"
	}
	there, err := os.MkdirTemp(other, "einvoice-")
	if err != nil {
		r.t.Logf("no other volume: %v", err)
		return
	}
	r.t.Cleanup(func() { os.RemoveAll(there) })
	r.must(os.RemoveAll(filepath.Join(r.dir, "archive")))
	r.must(os.Symlink(there, filepath.Join(r.dir, "archive")))
}

// register tells the platform of the company, in this process.
func (r *faultRig) register() {
	var said bytes.Buffer
	args := []string{"register", "-c", r.config()}
	if code := execute(context.Background(), args, streams{in: strings.NewReader(""), out: &said, err: &said}); code != 0 {
		r.t.Fatalf("register: %s", &said)
	}
}

func (r *faultRig) config() string { return filepath.Join(r.dir, "einvoice.toml") }

// flow drops the exports, loses an answer and has the suppliers write.
func (r *faultRig) flow() {
	if r.w.doubtful != "" {
		r.box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: "reset_after", Number: r.w.doubtful, Count: 1})
	}
	for name, content := range r.w.exports {
		r.drop(name, content)
	}
	for i := range r.w.suppliers {
		r.supply(i, i == 0)
	}
}

// supply has a supplier write to the company.
func (r *faultRig) supply(i int, pdf bool) {
	body := fmt.Sprintf(`{"fiscal_id":"10000000900017","supplier_name":"Dépôt %d","document_number":"SU-%d","issue_date":"2026-11-03","amount":125,"with_pdf":%v}`, i, i, pdf)
	req := httptest.NewRequest(http.MethodPost, "/sandbox/supplier-invoices", strings.NewReader(body))
	answer := httptest.NewRecorder()
	r.box.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		r.t.Fatalf("order supplier invoice: %s", answer.Body)
	}
}

// drop renames an export into place.
func (r *faultRig) drop(name, content string) {
	path := filepath.Join(r.people, "drop", name)
	r.must(os.WriteFile(path+".tmp", []byte(content), 0o644))
	r.must(os.Rename(path+".tmp", path))
}

// faultyDaemon is a running program with failpoints.
type faultyDaemon struct {
	cmd  *exec.Cmd
	done chan struct{}
	said *bytes.Buffer // to be read after done
}

// start runs the daemon; fault is what EINVOICE_FAULT says.
func (r *faultRig) start(fault, trace string) *faultyDaemon {
	r.t.Helper()
	binary, err := taggedBinary()
	r.must(err)
	d := &faultyDaemon{cmd: exec.Command(binary, "run", "-c", r.config()), done: make(chan struct{}), said: &bytes.Buffer{}}
	d.cmd.Env = append(os.Environ(), "EINVOICE_FAULT="+fault, "EINVOICE_FAULT_TRACE="+trace, "EINVOICE_FAULT_DISK="+r.t.TempDir())
	d.cmd.Stdout, d.cmd.Stderr = d.said, d.said
	r.must(d.cmd.Start())
	go func() { defer close(d.done); _ = d.cmd.Wait() }()
	return d
}

// ended waits until the process ends by itself.
func (d *faultyDaemon) ended(within time.Duration) bool {
	select {
	case <-d.done:
		return true
	case <-time.After(within):
		return false
	}
}

// stop asks for a clean end, and insists.
func (d *faultyDaemon) stop() {
	if runtime.GOOS != "windows" {
		_ = d.cmd.Process.Signal(os.Interrupt)
		if d.ended(10 * time.Second) {
			return
		}
	}
	_ = d.cmd.Process.Kill()
	<-d.done
}

// lateExport is the witness that an absence needs before anything is sent again.
const lateExport = "late.csv"

// settle runs without a fault until nothing is left to do.
func (r *faultRig) settle() error {
	binary, err := taggedBinary()
	r.must(err)
	r.drop("bench_"+lateExport, faultHead+faultRow("LATE-1", false))
	var said []byte
	for range 12 {
		cmd := exec.Command(binary, "run", "--once", "-c", r.config())
		out, failed := cmd.CombinedOutput()
		err, said = failed, append(said, out...)
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitRefused && exit.ExitCode() != exitUnfinished) {
			return fmt.Errorf("run --once: %w\n%s", err, out)
		}
		quiet, why := r.quiet()
		if quiet {
			return nil
		}
		err = errors.New(why)
	}
	return fmt.Errorf("not quiet: %w\n%s", err, said)
}

// quiet tells whether all of the workload came to its end.
func (r *faultRig) quiet() (ok bool, why string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := ledger.OpenReader(ctx, ledger.Config{Path: filepath.Join(r.dir, "data")})
	if err != nil {
		return false, err.Error()
	}
	defer l.Close()
	files, err := l.Files(ctx, 1000)
	if err != nil || len(files) < len(r.w.exports) {
		return false, fmt.Sprintf("%d of %d exports taken, %v", len(files), len(r.w.exports), err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.people, "drop", "*.csv")); len(left) > 0 {
		return false, fmt.Sprintf("%v is in the drop", left)
	}
	for _, f := range files {
		if f.SettledAt.IsZero() {
			return false, f.Name + " is not settled"
		}
		for inv, err := range l.InvoicesOf(ctx, f.ID) {
			if err != nil || inv.State == ledger.Sent && inv.Status.State != connector.StateDone {
				return false, fmt.Sprintf("%s is %s/%s, %v", inv.Key.Number, inv.State, inv.Status.State, err)
			}
		}
	}
	delivered, err := l.ReceivedIn(ctx, ledger.ReceivedDelivered, 100)
	if err != nil || len(delivered) != r.w.suppliers {
		return false, fmt.Sprintf("%d of %d supplier invoices delivered, %v", len(delivered), r.w.suppliers, err)
	}
	unnumbered, err := l.PlacesWithEvents(ctx)
	if err != nil || len(unnumbered) > 0 {
		return false, fmt.Sprintf("events of %v have no file, %v", unnumbered, err)
	}
	owed, err := l.Owed(ctx)
	if err == nil && owed == 0 {
		return true, ""
	}
	return false, fmt.Sprintf("%d answers owed, %v: %s", owed, err, r.owing(ctx))
}

// owing says which answers are not written, in full.
func (r *faultRig) owing(ctx context.Context) string {
	db, err := sql.Open("sqlite", ledger.Config{Path: filepath.Join(r.dir, "data")}.File())
	if err != nil {
		return err.Error()
	}
	defer db.Close()
	var all string
	err = db.QueryRowContext(ctx, `SELECT group_concat(place || ' ' || folder || ' ' || name || ' due ' || due_at || ' tries ' || tries, ', ')
		FROM publication WHERE published_at IS NULL`).Scan(&all)
	return fmt.Sprintf("%s, now %s, %v", all, time.Now().UTC().Format(time.RFC3339Nano), err)
}
