package main

import (
	"errors"
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
	cfg.Safety.OtherYear = "send"
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

func TestAFullDiskShortensTheTimeOfCopiesButNotBelowADay(t *testing.T) {
	k := newKeeper(t)
	k.after(0, crowded)
	if !k.spooled(k.sent) {
		t.Fatal("a copy of today went")
	}
	k.after(2, crowded)
	if k.spooled(k.sent) || !k.spooled(k.held) {
		t.Errorf("spooled: settled %t, held %t", k.spooled(k.sent), k.spooled(k.held))
	}
}

func TestContentsAndAnswersGoKeysStay(t *testing.T) {
	k := newKeeper(t)
	pubs, err := k.ledger.PublicationsOf(t.Context(), k.sent.ID)
	k.must(err)
	answer := func() bool { _, err := os.Stat(k.blobs.Path(pubs[0].SHA256)); return err == nil }
	k.after(399, roomy)
	if !answer() {
		t.Fatal("an answer went before its days were over")
	}
	k.after(401, roomy)
	if answer() {
		t.Error("an answer stays after its days")
	}
	found, err := k.ledger.Find(t.Context(), "LOT-0501")
	k.must(err)
	if len(found) != 1 || found[0].State != ledger.Sent {
		t.Errorf("the invoice itself went: %+v", found)
	}
}

func TestTheListOfAMonthsHashes(t *testing.T) {
	k := newKeeper(t)
	name := filepath.Join(k.dir, "archive", "hashes_"+time.Now().In(k.cfg.location()).Format("2006-01")+".csv")
	k.must(k.tidy(t.Context(), time.Now(), free(roomy)))
	if _, err := os.Stat(name); err == nil {
		t.Error("the list of a month that is not over")
	}
	next := time.Now().AddDate(0, 0, 1-time.Now().Day()).AddDate(0, 1, 0)
	k.must(k.tidy(t.Context(), next, free(roomy)))
	data, err := os.ReadFile(name)
	k.must(err)
	for _, want := range []string{"\ufeffdate;kind;name;sha256;where\r\n", ";archived export;lot.xml;" + k.sent.SHA256 + ";", ";old.xml;" + k.held.SHA256 + ";"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %q in\n%s", want, data)
		}
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
