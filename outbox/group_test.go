package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/ledger"
	"einvoice/mappers"
)

const twoFiles = `
[input]
format = "csv"
encoding = "utf-8"
delimiter = ";"
decimal = "."
date = "yyyy-mm-dd"
[input.tables]
heads = { file = "Heads_*.csv", key = "number" }
lines = { file = "Lines_*.csv", key = "number" }
dues  = { file = "Dues_*.csv", key = "number", optional = true }
[invoice]
each = "heads"
[invoice.fields]
document_number = "number"
issue_date = "date"
due_date = { from = "dues.due", required = false }
currency = { value = "EUR" }
recipient.name = "client"
recipient.fiscal_id = "siret"
recipient.address.country = { value = "FR" }
[lines]
each = "lines"
[lines.fields]
description = "item"
quantity = "qty"
unit_price = "price"
tax_rate = "vat"
tax_category = { value = "S" }
`

const (
	heads = "number;date;client;siret\nF1;2026-11-02;Client;20000000800017\nF2;2026-11-02;Client;20000000800017\n"
	lines = "number;item;qty;price;vat\nF1;Vis;1;10;20\nF1;Clou;2;5;20\nF2;Vis;1;10;20\n"
	dues  = "number;due\nF1;2026-12-02\n"
)

// reading makes the rig read its drop by that mapping.
func reading(t *testing.T, text string) func(*Options, *drop.Config) {
	m, err := mappers.Load("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return func(opt *Options, _ *drop.Config) { opt.Drops[0].Mappings = [][]*mappers.Mapping{{m}} }
}

// settle lets the time pass in which optional files may still come.
func (r *rig) settle() {
	r.clock.add(r.Drops[0].Config.Settle.Std())
	r.intake()
}

// restart opens the rig's folders as a new process does.
func (r *rig) restart(change func(*Options, *drop.Config)) {
	r.t.Helper()
	r.must(r.Ledger.Close())
	r.open(change)
	r.Drops[0].stuck = true // as watch begins
}

func (r *rig) archived() (names []string) {
	r.t.Helper()
	root := filepath.Join(r.dir, "archive")
	r.must(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	}))
	return names
}

func (r *rig) dropped() (names []string) {
	r.t.Helper()
	all, err := os.ReadDir(filepath.Join(r.dir, "drop"))
	r.must(err)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func (r *rig) files() []ledger.File {
	r.t.Helper()
	all, err := r.Ledger.Files(context.Background(), 100)
	r.must(err)
	return all
}

func TestFilesThatBelongTogetherAreOneExportInAnyOrder(t *testing.T) {
	content := map[string]string{"Heads_0101.csv": heads, "Lines_0101.csv": lines, "Dues_0101.csv": dues}
	for _, order := range [][]string{
		{"Heads_0101.csv", "Lines_0101.csv", "Dues_0101.csv"},
		{"Dues_0101.csv", "Lines_0101.csv", "Heads_0101.csv"},
		{"Lines_0101.csv", "Heads_0101.csv"},
	} {
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			r := newRig(t, reading(t, twoFiles))
			r.drop("Lines_0202.csv", lines) // of another export, which stays
			for i, name := range order {
				if i > 0 && i < 2 && len(r.files()) > 0 {
					t.Fatalf("taken before %s came", name)
				}
				r.drop(name, content[name])
				r.intake()
			}
			r.settle()
			files := r.files()
			if len(files) != 1 || files[0].Name != "0101" || files[0].State != ledger.FileMapped || files[0].Archived != "2026-11/0101.000001" {
				t.Fatalf("%+v", files)
			}
			inv, err := r.Ledger.Document(t.Context(), 1)
			r.must(err)
			if r.state("F1") != ledger.Queued || len(inv.Lines) != 2 || (inv.DueDate == "2026-12-02") != (len(order) == 3) {
				t.Errorf("%s, %d lines, due %q", r.state("F1"), len(inv.Lines), inv.DueDate)
			}
			var want []string
			for _, name := range order {
				want = append(want, "2026-11/0101.000001/"+name)
			}
			slices.Sort(want)
			if got := r.archived(); !slices.Equal(got, want) {
				t.Errorf("archived %q, want %q", got, want)
			}
			if left := r.dropped(); !slices.Equal(left, []string{"Lines_0202.csv"}) {
				t.Errorf("left %q", left)
			}
		})
	}
}

func TestAMissingFileIsAskedForAtTheDeadlineAndStillWaitedFor(t *testing.T) {
	r := newRig(t, reading(t, twoFiles))
	r.drop("Heads_0101.csv", heads)
	r.intake()
	r.clock.add(29 * time.Minute)
	r.intake()
	r.restart(reading(t, twoFiles)) // which does not begin the wait again
	r.intake()
	if due := r.due(); len(due) > 0 || len(r.files()) > 0 {
		t.Fatalf("answered before the deadline: %v", due)
	}
	r.clock.add(time.Minute)
	for range 3 {
		r.intake()
	}
	due := r.due()
	if len(due) != 1 || due[0].Kind != ledger.KindUnready || !strings.HasPrefix(due[0].Name, "Heads_0101.csv.") {
		t.Fatalf("answers %+v", due)
	}
	_, why, err := r.Ledger.UnreadyOf(t.Context(), due[0])
	r.must(err)
	if why.Code != codeIncomplete || why.Expected != "Lines_*.csv" {
		t.Errorf("says %+v", why)
	}
	r.drop("Lines_0101.csv", lines)
	r.intake()
	r.settle()
	if r.state("F2") != ledger.Queued {
		t.Errorf("the file that came late was not read: %q", r.state("F2"))
	}
}

func (r *rig) due() []ledger.Publication {
	r.t.Helper()
	due, err := r.Ledger.PublicationsDue(context.Background(), 100)
	r.must(err)
	return due
}

// dying is a place whose process is killed at the n-th move.
type dying struct {
	Place
	moves int
}

var errKilled = errors.New("killed")

func (p *dying) Retire(ctx context.Context, name, archived string) error {
	if p.moves--; p.moves < 0 {
		return errKilled
	}
	return p.Place.Retire(ctx, name, archived)
}

// TestAKillBetweenTwoFilesOfAnExport kills before each of its steps: copies,
// the record, each move. A restart goes on, and the export is taken once.
func TestAKillBetweenTwoFilesOfAnExport(t *testing.T) {
	for moves := range 4 {
		t.Run(fmt.Sprint(moves), func(t *testing.T) {
			r := newRig(t, reading(t, twoFiles))
			for name, text := range map[string]string{"Heads_0101.csv": heads, "Lines_0101.csv": lines, "Dues_0101.csv": dues} {
				r.drop(name, text)
			}
			d := r.Drops[0]
			d.Place = &dying{d.Place, moves}
			r.must(r.scan(t.Context(), d)) // the moves that fail are only tried again later
			if moves < 3 && len(r.dropped()) != 3-moves {
				t.Fatalf("%q left after %d moves", r.dropped(), moves)
			}
			r.restart(reading(t, twoFiles))
			r.intake()
			r.settle()
			if files := r.files(); len(files) != 1 || files[0].Archived != "2026-11/0101.000001" || len(r.archived()) != 3 || len(r.dropped()) != 0 {
				t.Errorf("%+v, archived %q, left %q", files, r.archived(), r.dropped())
			}
			if r.state("F1") != ledger.Queued {
				t.Errorf("F1 is %q", r.state("F1"))
			}
		})
	}
}

// rewriting is a place where the ERP writes a file again just before it is moved.
type rewriting struct {
	Place
	path, content string
}

func (p *rewriting) Retire(ctx context.Context, name, archived string) error {
	if filepath.Base(p.path) == name {
		if err := os.WriteFile(p.path, []byte(p.content), 0o644); err != nil {
			return err
		}
	}
	return p.Place.Retire(ctx, name, archived)
}

func TestAFileOfAnExportThatIsRewrittenMeanwhileIsASecondTake(t *testing.T) {
	r := newRig(t, reading(t, twoFiles))
	r.drop("Heads_0101.csv", heads)
	r.drop("Lines_0101.csv", lines)
	d := r.Drops[0]
	d.Place = &rewriting{d.Place, filepath.Join(r.dir, "drop", "Lines_0101.csv"), lines + "F2;Clou;2;5;20\n"}
	r.intake()
	r.settle()
	if files := r.files(); len(files) != 2 || files[0].Archived == "" || files[1].Archived == "" {
		t.Fatalf("%+v", files)
	}
	found, err := r.Ledger.Find(t.Context(), "F2")
	r.must(err)
	for _, inv := range found {
		want := map[string]ledger.State{"12.00": ledger.Superseded, "24.00": ledger.Queued}[inv.Gross.String()]
		if inv.State != want {
			t.Errorf("%s is %s, want %s", inv.Gross, inv.State, want)
		}
	}
	if len(found) != 2 {
		t.Errorf("%d versions of F2", len(found))
	}
}

func TestACopyOfAnExportOfSeveralFilesComesBackAsOneWorkbook(t *testing.T) {
	r := newRig(t, reading(t, twoFiles))
	r.drop("Heads_0101.csv", heads)
	r.drop("Lines_0101.csv", strings.Replace(lines, "F2;Vis;1;10;20", "F2;Vis;one;10;20", 1))
	r.intake()
	r.settle()
	r.must(r.settleFiles(t.Context()))
	var name, sha string
	for _, p := range r.due() {
		if p.Kind == ledger.KindCopy {
			name, sha = p.Name, p.SHA256
		}
	}
	if name != "0101.000001.refused.1.xlsx" {
		t.Fatalf("copy %q", name)
	}
	inv, err := r.Ledger.Find(t.Context(), "F2")
	r.must(err)
	if at := inv[0].Problems[0].Position; at.File != "Lines_0101.csv" || at.Row != 4 {
		t.Errorf("the problem stands in %+v", at)
	}
	data, err := os.ReadFile(r.Blobs.Path(sha))
	r.must(err)
	r.drop(name, string(data))
	r.intake()
	if again := r.files()[0]; again.State != ledger.FileMapped || r.state("F2") != ledger.Refused || r.state("F1") != ledger.Queued {
		t.Errorf("%+v, F2 %s", again, r.state("F2"))
	}
}

func TestAnExportOfSeveralFilesThatCannotBeReadComesBackWhole(t *testing.T) {
	r := newRig(t, reading(t, twoFiles))
	r.drop("Heads_0101.csv", strings.Replace(heads, "client", "customer", 1))
	r.drop("Lines_0101.csv", lines)
	r.intake()
	r.settle()
	r.must(r.settleFiles(t.Context()))
	back := map[string]string{}
	for _, p := range r.due() {
		if p.Kind == ledger.KindCopy {
			data, err := os.ReadFile(r.Blobs.Path(p.SHA256))
			r.must(err)
			back[p.Name] = string(data)
		}
	}
	if len(back) != 2 || back["Lines_0101.000001.refused.1.csv"] != lines {
		t.Fatalf("came back: %q", back)
	}
	for name, text := range back {
		r.drop(name, strings.Replace(text, "customer", "client", 1))
	}
	r.intake()
	r.settle()
	if r.state("F1") != ledger.Queued {
		t.Errorf("mended and dropped again F1 is %q", r.state("F1"))
	}
}

// onServer makes the rig's drop one on an SFTP server.
func (r *rig) onServer(t *testing.T) {
	t.Helper()
	server := sftptest.Start(t, sftptest.Options{})
	hosts := sftpplace.NewHosts([]sftpplace.Config{server.Section()})
	t.Cleanup(hosts.Close)
	p, err := hosts.Place(server.URL(filepath.Join(r.dir, "drop")), server.URL(filepath.Join(r.dir, "archive")))
	r.must(err)
	d := r.Drops[0]
	d.Place = p
	d.Watcher = drop.NewWatcher(p, d.Config, drop.WatcherOptions{Now: r.clock.now, Beside: d.IsBeside})
}

func TestFilesThatBelongTogetherOnAServer(t *testing.T) {
	r := newRig(t, reading(t, twoFiles))
	r.onServer(t)
	r.drop("Lines_0101.csv", lines)
	r.intake()
	r.drop("Heads_0101.csv", heads)
	r.intake()
	r.settle()
	want := []string{"2026-11/0101.000001/Heads_0101.csv", "2026-11/0101.000001/Lines_0101.csv"}
	if got := r.archived(); !slices.Equal(got, want) || len(r.dropped()) > 0 || r.state("F1") != ledger.Queued {
		t.Errorf("archived %q, left %q, F1 %s", got, r.dropped(), r.state("F1"))
	}
}

func TestWhatIsLeftInPlaceIsTakenOnceOverARestart(t *testing.T) {
	leave := func(text string) func(*Options, *drop.Config) {
		return func(opt *Options, cfg *drop.Config) {
			reading(t, text)(opt, cfg)
			cfg.After = drop.Leave
		}
	}
	withFile := leave(twoFiles + "[[attachment]]\nfile = \"{document_number}.pdf\"\n")
	r := newRig(t, withFile)
	for name, text := range map[string]string{"Heads_0101.csv": heads, "Lines_0101.csv": lines, "F1.pdf": pdf} {
		r.drop(name, text)
	}
	r.intake()
	r.settle()
	for range 2 {
		r.restart(withFile)
		r.intake()
		r.settle()
		r.clock.add(time.Hour)
		r.intake()
	}
	if files := r.files(); len(files) != 1 || len(r.dropped()) != 3 {
		t.Errorf("%d takes, left %q", len(files), r.dropped())
	}
	for _, p := range r.due() {
		if p.Kind == ledger.KindUnready {
			t.Errorf("an answer about what was taken: %+v", p)
		}
	}
	r.drop("Lines_0101.csv", lines+"F2;Clou;2;5;20\n")
	r.drop("Heads_0101.csv", heads+"F3;2026-11-02;Client;20000000800017\n")
	r.drop("Dues_0101.csv", dues)
	r.intake()
	r.settle()
	if files := r.files(); len(files) != 2 {
		t.Errorf("%d takes after a new export", len(files))
	}
}
