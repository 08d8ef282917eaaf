package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// several is a place that moves originals together; one of them cannot be moved
// at first, and the ERP writes another one again just before.
type several struct {
	Place
	before func()
	locked string
	calls  int
}

func (p *several) RetireAll(ctx context.Context, all []drop.Moved) []error {
	if p.calls++; p.before != nil {
		p.before()
		p.before = nil
	}
	failed := p.Place.(mover).RetireAll(ctx, all[:0])
	for _, m := range all {
		if m.Name == p.locked {
			failed = append(failed, drop.ErrBusy)
			continue
		}
		failed = append(failed, p.Place.(mover).RetireAll(ctx, []drop.Moved{m})...)
	}
	return failed
}

func TestABatchOfExportsIsMovedTogetherAndEachIsLookedAt(t *testing.T) {
	r := newRig(t, nil)
	p := &several{Place: r.Drops[0].Place, locked: "c.csv", before: func() {
		r.drop("b.csv", header+row("F2", "10.00")+row("F9", "20.00"))
	}}
	r.Drops[0].Place = p
	for i, name := range []string{"a.csv", "b.csv", "c.csv", "d.csv"} {
		r.drop(name, header+row(fmt.Sprint("F", i+1), "10.00"))
	}
	r.intake()
	if p.calls != 1 {
		t.Errorf("moved in %d goes", p.calls)
	}
	where := map[string]string{}
	for _, f := range r.files() {
		where[fmt.Sprint(f.Name, " ", f.Take)] = f.Archived
	}
	if where["c.csv 3"] != "" || where["a.csv 1"] != "2026-11/a.000001.csv" || where["d.csv 4"] != "2026-11/d.000004.csv" {
		t.Errorf("archived: %v", where)
	}
	if where["b.csv 5"] != "2026-11/b.000002.csv" || where["b.csv 2"] == "" {
		t.Errorf("what the ERP wrote again: %v", where)
	}
	p.locked = ""
	r.must(r.recoverDrop(context.Background(), r.Drops[0]))
	r.sendAll()
	for i := range 4 {
		r.posts(fmt.Sprint("F", i+1), 1)
	}
	r.want("F9", ledger.Sent)
	if left := r.dropped(); len(left) != 0 {
		t.Errorf("left in the drop: %v", left)
	}
	for _, f := range r.files() {
		if _, err := os.Stat(filepath.Join(r.dir, "archive", filepath.FromSlash(f.Archived))); err != nil && f.Take != 2 {
			t.Errorf("take %d: %v", f.Take, err)
		}
	}
}

func TestBatchesAreBoundedByFilesAndBytes(t *testing.T) {
	entries := func(n int, size int64) (all []drop.Entry) {
		for range n {
			all = append(all, drop.Entry{Size: size})
		}
		return all
	}
	sizes := func(p Place, ready []drop.Entry) (n []int) {
		for _, b := range batches(p, ready) {
			n = append(n, len(b))
		}
		return n
	}
	near := &several{Place: newRig(t, nil).Drops[0].Place}
	for _, c := range []struct {
		p     Place
		ready []drop.Entry
		want  string
	}{
		{near, nil, "[]"},
		{near, entries(600, 100), "[256 256 88]"},
		{near, entries(3, 40<<20), "[1 1 1]"},
		{near, entries(5, 30<<20), "[2 2 1]"},
		{&rewriter{Place: near.Place}, entries(9, 1), "[4 4 1]"}, // a far place, one at a time
	} {
		if got := fmt.Sprint(sizes(c.p, c.ready)); got != c.want {
			t.Errorf("%d files: %s, want %s", len(c.ready), got, c.want)
		}
	}
}

// TestOneExportThatCannotBeKeptDoesNotKeepBackTheOthers: its folder in the spool
// cannot be made, until somebody mends that.
func TestOneExportThatCannotBeKeptDoesNotKeepBackTheOthers(t *testing.T) {
	r := newRig(t, nil)
	for i, name := range []string{"a.csv", "b.csv", "c.csv"} {
		r.drop(name, header+row(fmt.Sprint("F", i+1), "10.00"))
	}
	sum := sha256.Sum256([]byte(header + row("F2", "10.00")))
	inTheWay := filepath.Dir(r.Spool.Path(hex.EncodeToString(sum[:])))
	r.must(os.WriteFile(inTheWay, nil, 0o600))
	r.intake()
	var names []string
	for _, f := range r.files() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	if strings.Join(names, " ") != "a.csv c.csv" {
		t.Errorf("taken: %v", names)
	}
	r.must(os.Remove(inTheWay))
	r.intake()
	if n := len(r.files()); n != 3 {
		t.Errorf("%d exports taken in the end", n)
	}
}
