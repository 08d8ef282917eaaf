package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

const roomy, crowded = 1 << 40, 1 << 20

func free(bytes uint64) func(string) (doctor.Disk, error) {
	return func(string) (doctor.Disk, error) { return doctor.Disk{Free: bytes}, nil }
}

// keeper is an app whose first export was sent, and whose second is held.
type keeper struct {
	*app
	t    *testing.T
	box  *sandbox.Sandbox
	dir  string
	sent ledger.File
	held ledger.File
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	platform := httptest.NewServer(box)
	cfg := appConfig(t, platform.URL)
	cfg.Inbox.Poll.List = setting.Duration(time.Millisecond)
	a, err := newApp(t.Context(), cfg, zerolog.Nop(), func(string, map[string]string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); platform.Close(); box.Close() })
	if _, err := a.inbox.Register(t.Context(), a.client, "demo", true); err != nil {
		t.Fatal(err)
	}
	k := &keeper{app: a, t: t, box: box, dir: cfg.dir}
	k.must(a.Once(t.Context()))
	data, err := os.ReadFile(k.archive())
	k.must(err)
	k.outbox.Safety.OtherYear = "hold"
	k.drop("old.xml", strings.NewReplacer("LOT-05", "OLD-", "2026-", "2025-").Replace(string(data)))
	var code exitError
	if err := a.Once(t.Context()); err != nil && !errors.As(err, &code) {
		t.Fatal(err)
	}
	k.sent, k.held = k.file("lot.xml"), k.file("old.xml")
	if pending, err := a.ledger.Pending(t.Context()); err != nil || pending[ledger.Held] == 0 {
		t.Fatalf("nothing is held: %v, %v", pending, err)
	}
	return k
}

func (k *keeper) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *keeper) archive() string {
	found, err := filepath.Glob(filepath.Join(k.dir, "archive", "*", "lot.000001.xml"))
	if err != nil || len(found) != 1 {
		k.t.Fatalf("archived: %v, %v", found, err)
	}
	return found[0]
}

func (k *keeper) drop(name, content string) {
	k.must(os.WriteFile(filepath.Join(k.dir, name), []byte(content), 0o644))
	k.must(os.Rename(filepath.Join(k.dir, name), filepath.Join(k.dir, "drop", name)))
}

func (k *keeper) file(name string) ledger.File {
	k.t.Helper()
	found, err := k.ledger.FindFiles(k.t.Context(), name)
	if err != nil || len(found) == 0 {
		k.t.Fatalf("%s: %v", name, err)
	}
	return found[0]
}

func (k *keeper) spooled(f ledger.File) bool {
	_, err := os.Stat(k.spool.Path(f.SHA256))
	return err == nil
}

// after tidies as it were days later.
func (k *keeper) after(days int, disk uint64) {
	k.t.Helper()
	k.must(k.tidy(k.t.Context(), time.Now().AddDate(0, 0, days), free(disk)))
}

func TestSpooledCopiesGoWhenNoPromiseNeedsThem(t *testing.T) {
	k := newKeeper(t)
	k.after(29, roomy)
	if !k.spooled(k.sent) {
		t.Fatal("a copy went before its days were over")
	}
	k.after(31, roomy)
	if k.spooled(k.sent) {
		t.Error("a copy stays after its days")
	}
	if !k.spooled(k.held) {
		t.Error("the copy of an export with held invoices went")
	}
	k.archive()
	data, err := os.ReadFile(k.archive())
	k.must(err)
	k.drop("again.xml", string(data))
	var code exitError
	if err := k.Once(t.Context()); err != nil && !errors.As(err, &code) {
		t.Fatal(err)
	}
	if n := len(k.box.Books().Documents); n != 2 {
		t.Errorf("the platform has %d invoices, want 2", n)
	}
	k.after(29, roomy)
	if !k.spooled(k.sent) {
		t.Error("a copy that a later export needs went")
	}
}

// TestAFullDiskShortensTheTimeOfCopiesButNotBelowADay, nor ever below what a
// promise needs, however full it is.
func TestAFullDiskShortensTheTimeOfCopiesButNotBelowADay(t *testing.T) {
	k := newKeeper(t)
	owed, err := k.blobs.Put(t.Context(), strings.NewReader("nobody has it yet"))
	k.must(err)
	k.must(k.ledger.FileSettled(t.Context(), k.held.ID, nil))
	k.must(k.ledger.MendedDone(t.Context(), k.sent.ID, []ledger.Publication{{Place: "demo", Folder: ledger.FolderRefused, Kind: ledger.KindNote, Name: "note.txt", SHA256: owed.SHA256}}))
	kept := func(sha string) bool { _, err := os.Stat(k.blobs.Path(sha)); return err == nil }
	copied := k.copyOf(k.held)
	k.after(0, crowded)
	if !k.spooled(k.sent) || !kept(copied) {
		t.Fatal("a copy of today went")
	}
	k.after(2, crowded)
	if k.spooled(k.sent) || kept(copied) {
		t.Errorf("a copy of the day before yesterday stays: spooled %t, in to-check %t", k.spooled(k.sent), kept(copied))
	}
	for _, days := range []int{2, 399, 5000} {
		k.after(days, crowded)
		if !k.spooled(k.held) || !kept(owed.SHA256) {
			t.Fatalf("after %d days: export with held invoices %t, answer that is owed %t", days, k.spooled(k.held), kept(owed.SHA256))
		}
		held, err := k.ledger.InvoicesIn(t.Context(), ledger.Held, "", 1)
		k.must(err)
		if _, err := k.ledger.Document(t.Context(), held[0].ID); err != nil {
			t.Errorf("after %d days the content of a held invoice is gone: %v", days, err)
		}
	}
	k.archive()
}

// copyOf is the hash of what was put into to-check.
func (k *keeper) copyOf(f ledger.File) string {
	k.t.Helper()
	pubs, err := k.ledger.PublicationsOf(k.t.Context(), f.ID)
	k.must(err)
	for _, p := range pubs {
		if p.Folder == ledger.FolderToCheck {
			return p.SHA256
		}
	}
	k.t.Fatalf("no copy among %+v", pubs)
	return ""
}

func TestContentsAndAnswersGoKeysStay(t *testing.T) {
	k := newKeeper(t)
	pubs, err := k.ledger.PublicationsOf(t.Context(), k.sent.ID)
	k.must(err)
	found, err := k.ledger.Find(t.Context(), "LOT-0501")
	k.must(err)
	k.must(k.ledger.Polled(t.Context(), []int64{found[0].ID}, time.Time{})) // followed to its end
	callback, err := k.blobs.Put(t.Context(), strings.NewReader(`{"data":{}}`))
	k.must(err)
	k.must(k.ledger.RecordCallback(t.Context(), ledger.Callback{Company: "demo", Event: "customer-invoice", APIID: "1", BodySHA256: callback.SHA256, ReceivedAt: time.Now()}))
	due, err := k.ledger.CallbacksDue(t.Context(), 10)
	k.must(err)
	k.must(k.ledger.CallbacksDone(t.Context(), []int64{due[0].ID}))
	kept := func() (s string) {
		if _, err := k.ledger.BodyOf(t.Context(), pubs[0].ID); err == nil {
			s += "answer "
		}
		if _, err := os.Stat(k.blobs.Path(callback.SHA256)); err == nil {
			s += "callback "
		}
		if _, err := k.ledger.Document(t.Context(), found[0].ID); err == nil {
			s += "content"
		}
		return s
	}
	k.after(399, roomy)
	if got := kept(); got != "answer callback content" {
		t.Fatalf("before its days were over only this stayed: %q", got)
	}
	k.after(401, roomy)
	if got := kept(); got != "" {
		t.Errorf("stays after its days: %q", got)
	}
	found, err = k.ledger.Find(t.Context(), "LOT-0501")
	k.must(err)
	if len(found) != 1 || found[0].State != ledger.Sent {
		t.Errorf("the invoice itself went: %+v", found)
	}
}

// TestTheListOfAMonthsHashes: each line names a file that has this hash.
func TestTheListOfAMonthsHashes(t *testing.T) {
	k := newKeeper(t)
	order := httptest.NewRequest(http.MethodPost, "/sandbox/supplier-invoices", strings.NewReader(`{"fiscal_id":"`+k.cfg.Companies[0].FiscalID+`","supplier_name":"Depot","document_number":"SU-1","amount":125,"with_pdf":true}`))
	k.box.ServeHTTP(httptest.NewRecorder(), order)
	var code exitError
	if err := k.Once(t.Context()); err != nil && !errors.As(err, &code) {
		t.Fatal(err)
	}
	name := filepath.Join(k.dir, "archive", "hashes_"+time.Now().In(k.cfg.location()).Format("2006-01")+".csv")
	k.must(k.tidy(t.Context(), time.Now(), free(roomy)))
	if _, err := os.Stat(name); err == nil {
		t.Error("the list of a month that is not over")
	}
	next := time.Now().AddDate(0, 0, 1-time.Now().Day()).AddDate(0, 1, 0)
	k.must(k.tidy(t.Context(), next, free(roomy)))
	data, err := os.ReadFile(name)
	k.must(err)
	if !strings.HasPrefix(string(data), "\ufeffdate;kind;name;sha256;where\r\n") {
		t.Errorf("%s", data)
	}
	rows, err := table(data)
	k.must(err)
	kinds := map[string]int{}
	for _, row := range rows {
		kinds[row["kind"]]++
		path := filepath.Join(k.dir, "archive", row["where"])
		if row["kind"] == "received invoice" {
			path = filepath.Join(k.dir, "inbox", row["where"], "invoice.json")
		}
		original, err := os.ReadFile(path)
		k.must(err)
		if sum := fmt.Sprintf("%x", sha256.Sum256(original)); sum != row["sha256"] {
			t.Errorf("%v: the file's hash is %s", row, sum)
		}
	}
	if kinds["archived export"] != 2 || kinds["received invoice"] != 1 {
		t.Errorf("listed: %v\n%s", kinds, data)
	}
	k.must(os.Remove(name))
	k.must(k.tidy(t.Context(), next.AddDate(0, 0, 1), free(roomy)))
	if _, err := os.Stat(name); err == nil {
		t.Error("a list that somebody took away comes back")
	}
}

func TestRetentionOutOfBounds(t *testing.T) {
	r := setting.NewReport()
	retentionDefaults().validate(r)
	Retention{SpoolDays: 0, PayloadDays: 5, MinFreeMiB: -1}.validate(r)
	if len(r.Mistakes()) != 3 {
		t.Errorf("mistakes: %v", r.Mistakes())
	}
}
