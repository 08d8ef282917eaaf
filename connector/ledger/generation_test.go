package ledger

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// swept tells whether the world's ledger believes that it knows what was sent.
func (w *world) swept() bool {
	w.t.Helper()
	needed, err := w.SweepNeeded(w.t.Context(), bakery)
	w.ok(err)
	return !needed
}

func (w *world) reopen() {
	w.t.Helper()
	w.ok(w.Close())
	w.open()
}

// sendOne commits an intent, as the sender does before each POST.
func (w *world) sendOne() {
	w.t.Helper()
	_, err := w.MarkSending(w.t.Context(), nil)
	w.ok(err)
}

// copied keeps files of the ledger's folder; the function returned puts them back.
func (w *world) copied(names ...string) (putBack func()) {
	w.t.Helper()
	kept := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		w.ok(err)
		kept[name] = data
	}
	return func() {
		for _, name := range []string{"ledger.db-wal", "ledger.db-shm"} {
			_ = os.Remove(filepath.Join(w.dir, name))
		}
		for name, data := range kept {
			w.ok(os.WriteFile(filepath.Join(w.dir, name), data, 0o600))
		}
	}
}

func TestALedgerThatGoesOnIsBelieved(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.clock.turn(time.Minute)
		w.sendOne()
		w.reopen()
		if !w.swept() || w.Doubt() != "" {
			t.Fatalf("a restart is doubted: %s", w.Doubt())
		}
	}
}

func TestAnOlderDatabaseSweepsBeforeItSends(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Close())
	putBack := w.copied("ledger.db")
	w.open()
	w.sendOne()
	w.ok(w.Close())
	putBack()
	w.open()
	if w.swept() || w.Doubt() == "" {
		t.Fatal("a backup that was put back may send")
	}
	if next, err := w.NextToSend(t.Context(), bakery, 10); err != nil || len(next) > 0 {
		t.Fatalf("next to send: %v, %v", next, err)
	}
	w.sweepDone(bakery)
	w.reopen()
	if !w.swept() {
		t.Error("the doubt does not end")
	}
}

// A copy of the running database is older as soon as anything is sent after it.
func TestACopyMadeWhileSendingSweeps(t *testing.T) {
	w := newWorld(t)
	w.sendOne()
	w.clock.turn(10 * time.Second)
	if _, err := w.write.tx.conn.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	putBack := w.copied("ledger.db")
	w.sendOne()
	w.ok(w.Close())
	putBack()
	w.open()
	if w.swept() {
		t.Error("a copy of the running ledger that was put back may send")
	}
}

func TestADatabaseMovedWithoutItsWitnessSweeps(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Close())
	w.ok(os.Remove(filepath.Join(w.dir, witnessName)))
	w.open()
	if w.swept() {
		t.Error("a database that was put elsewhere may send")
	}
}

func TestOurOwnBackupSweepsWhereverItIsPut(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Backup(t.Context(), filepath.Join(w.dir, "copy.db")))
	if !w.swept() {
		t.Error("a backup makes the ledger itself sweep")
	}
	w.ok(w.Close())
	w.ok(os.Rename(filepath.Join(w.dir, "copy.db"), filepath.Join(w.dir, "ledger.db")))
	w.open()
	if w.swept() {
		t.Error("the backup may send, though nothing betrays that it is one")
	}
}

func TestACloneOnAnotherMachineSweeps(t *testing.T) {
	dir := t.TempDir()
	open := func(host string) *Ledger {
		l, err := Open(context.Background(), Config{Path: dir}, Options{Identity: identity(), Host: host})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, step := range []struct {
		host    string
		doubted bool
	}{{"one", false}, {"one", false}, {"two", true}, {"two", false}} {
		l := open(step.host)
		needed, err := l.SweepNeeded(t.Context(), bakery)
		if err != nil || (l.Doubt() != "") != step.doubted {
			t.Errorf("on %s: doubt %q, sweep %t, %v", step.host, l.Doubt(), needed, err)
		}
		if _, err := l.SweepDone(t.Context(), bakery); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheGenerationIsWrittenOutsideBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t)
	w.clock.turn(time.Hour)
	w.ok(os.Remove(filepath.Join(w.dir, witnessName)))
	w.ok(os.Mkdir(filepath.Join(w.dir, witnessName), 0o700)) // cannot be written
	if _, err := w.MarkSending(t.Context(), nil); err == nil {
		t.Error("an intent was committed although nothing outside says so")
	}
	w.ok(os.Remove(filepath.Join(w.dir, witnessName)))
	w.sendOne()
	seen, err := readWitness(filepath.Join(w.dir, witnessName))
	w.ok(err)
	want(t, "witness", seen.Generation, w.Generation())
	want(t, "ledger", seen.Ledger, w.ID())
}

// TestAnOlderDatabaseGivesOutNoNumberTwice: what was taken and told after a backup
// has its files in the archive and in the results folder, and its lines were read,
// whatever the database that was put back knows. The same backup may be put back
// again, and a ledger may begin anew beside the folders of the last.
func TestAnOlderDatabaseGivesOutNoNumberTwice(t *testing.T) {
	w := newWorld(t)
	takes, seqs := map[int64]string{}, map[int64]string{}
	numbered := func(when string) {
		t.Helper()
		f := w.take()
		w.releaseFile(f, queued(bill("F-"+when, "10.00"))...)
		due, err := w.PublicationsDue(t.Context(), 10)
		w.ok(err)
		if before := takes[f.Take]; before != "" {
			t.Errorf("take %d was given out %s and %s", f.Take, before, when)
		}
		takes[f.Take] = when
		for _, p := range due {
			for seq := p.SeqFrom; seq > 0 && seq <= p.SeqTo; seq++ {
				if before := seqs[seq]; before != "" {
					t.Errorf("seq %d was given out %s and %s", seq, before, when)
				}
				seqs[seq] = when
			}
			w.ok(w.MarkPublished(t.Context(), p.ID))
		}
	}
	numbered("before the backup")
	w.ok(w.Close())
	putBack := w.copied("ledger.db")
	w.open()
	w.sendOne()
	numbered("after it")
	for _, when := range []string{"after the first time", "after the second"} {
		w.ok(w.Close())
		putBack()
		w.clock.turn(time.Minute)
		w.open()
		numbered(when)
		numbered(when + " too")
	}
	w.ok(w.Close())
	for _, name := range []string{"ledger.db", witnessName} {
		w.ok(os.Remove(filepath.Join(w.dir, name)))
	}
	w.clock.turn(time.Minute)
	w.open()
	w.ok(w.RequireSweep(t.Context(), acme)) // as the marker of a drop demands
	w.ok(w.RequireSweep(t.Context(), bakery))
	numbered("in a new ledger")
	if len(takes) != 7 || len(seqs) < 7 {
		t.Errorf("%d takes, %d seqs", len(takes), len(seqs))
	}
}
