// Package droptest is the behaviour that every drop.Place has to show.
package droptest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/drop"
)

// hostile are names that ERPs, people and Windows really give.
var hostile = []string{
	"plain.csv",
	"with two  spaces.csv",
	"facture été n°12 (copie).csv",
	"l'export, du 1er; à 100% + 1.csv",
	"UPPER.CSV",
	"no-extension",
	"a.b.c.csv",
	strings.Repeat("é", 90) + ".csv",
}

// outside are names that would lead out of the place, or to no file.
var outside = []string{"", ".", "..", "../x.csv", "/etc/x.csv", "sub/x.csv"}

// OldOrNew is beyond servers that cannot rename onto a name: the old file is
// moved aside first, and a reader may find none for a moment.
const OldOrNew = "readers see the old file or the new one"

// Run checks a kind of place. newPlace gives an empty one that has an archive,
// and removes it at the end of t. unable names what this kind cannot show.
func Run(t *testing.T, newPlace func(t *testing.T) drop.Place, unable ...string) {
	for _, c := range []struct {
		name  string
		check func(t *testing.T, p drop.Place)
	}{
		{"empty place lists nothing", listsNothing},
		{"published file is listed and read back", publishes},
		{"publishing replaces", replaces},
		{"names survive", namesSurvive},
		{"names that lead outside are refused", refusesOutside},
		{"half a file is never seen", neverHalf},
		{"a failing source leaves things as they were", failingSource},
		{OldOrNew, oldOrNew},
		{"absent file cannot be opened", opensNothing},
		{"retired file leaves the place", retires},
		{"retiring never replaces", retiresOnce},
		{"removing twice is fine", removes},
		{"an ended context ends everything", obeysContext},
	} {
		if !slices.Contains(unable, c.name) {
			t.Run(c.name, func(t *testing.T) { c.check(t, newPlace(t)) })
		}
	}
}

func listsNothing(t *testing.T, p drop.Place) {
	wantNames(t, p)
	if p.String() == "" {
		t.Error("a place must show where it is")
	}
}

func publishes(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "one;two\n")
	publish(t, p, "empty.csv", "")
	wantContent(t, p, "a.csv", "one;two\n")
	wantContent(t, p, "empty.csv", "")
	for _, e := range wantNames(t, p, "a.csv", "empty.csv") {
		if e.Name == "a.csv" && (e.Size != 8 || e.Modified.IsZero()) {
			t.Errorf("listed as %+v, want 8 bytes and a time", e)
		}
	}
}

func replaces(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "a long first version")
	publish(t, p, "a.csv", "second")
	wantContent(t, p, "a.csv", "second")
	wantNames(t, p, "a.csv")
}

func namesSurvive(t *testing.T, p drop.Place) {
	for _, name := range hostile {
		publish(t, p, name, name)
	}
	wantNames(t, p, hostile...)
	for _, name := range hostile {
		wantContent(t, p, name, name)
		if err := p.Retire(t.Context(), name, "2026-01/"+name); err != nil {
			t.Errorf("retire %q: %v", name, err)
		}
	}
	wantNames(t, p)
}

func refusesOutside(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "a")
	for _, name := range outside {
		if r, err := p.Open(t.Context(), name); err == nil {
			r.Close()
			t.Errorf("open %q worked", name)
		}
		if err := p.Publish(t.Context(), name, strings.NewReader("x")); err == nil {
			t.Errorf("publish %q worked", name)
		}
		if err := p.Remove(t.Context(), name); err == nil {
			t.Errorf("remove %q worked", name)
		}
		if err := p.Retire(t.Context(), name, "x.csv"); err == nil {
			t.Errorf("retire %q worked", name)
		}
	}
	for _, archived := range []string{"", ".", "../x.csv", "/x.csv", "2026/../../x.csv"} {
		if err := p.Retire(t.Context(), "a.csv", archived); err == nil {
			t.Errorf("retire to %q worked", archived)
		}
	}
	wantNames(t, p, "a.csv")
}

func neverHalf(t *testing.T, p drop.Place) {
	looks := 0
	content := &staged{parts: []string{"one\n", "two\n", "three\n"}, between: func() {
		looks++
		wantNames(t, p)
		if r, err := p.Open(t.Context(), "a.csv"); err == nil {
			r.Close()
			t.Error("the file could be opened before it was whole")
		}
	}}
	if err := p.Publish(t.Context(), "a.csv", content); err != nil {
		t.Fatal(err)
	}
	if looks < 3 {
		t.Errorf("looked %d times only", looks)
	}
	wantContent(t, p, "a.csv", "one\ntwo\nthree\n")
}

var errBroken = errors.New("source broke")

func failingSource(t *testing.T, p drop.Place) {
	publish(t, p, "old.csv", "old")
	for _, name := range []string{"old.csv", "new.csv"} {
		content := &staged{parts: []string{strings.Repeat("x", 100_000)}, end: errBroken}
		err := p.Publish(t.Context(), name, content)
		if !errors.Is(err, errBroken) || errors.Is(err, drop.ErrBusy) {
			t.Errorf("publish %s: error %v, want that of the source and not ErrBusy", name, err)
		}
	}
	wantNames(t, p, "old.csv")
	wantContent(t, p, "old.csv", "old")
}

// oldOrNew replaces a file under a reader's eyes. Where an open file cannot be
// replaced, ErrBusy is the right answer.
func oldOrNew(t *testing.T, p drop.Place) {
	versions := []string{strings.Repeat("a", 50_000), strings.Repeat("b", 80_000)}
	publish(t, p, "a.csv", versions[0])
	ctx := t.Context()
	done := make(chan error, 1)
	go func() {
		for i := range 100 {
			err := p.Publish(ctx, "a.csv", strings.NewReader(versions[i%2]))
			if err != nil && !errors.Is(err, drop.ErrBusy) {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		got, err := read(ctx, p, "a.csv")
		if err != nil && !errors.Is(err, drop.ErrBusy) {
			t.Errorf("read: %v", err)
		}
		if err == nil && !slices.Contains(versions, got) {
			t.Errorf("a reader saw %d bytes that are neither version", len(got))
		}
	}
}

func opensNothing(t *testing.T, p drop.Place) {
	_, err := p.Open(t.Context(), "absent.csv")
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, drop.ErrBusy) {
		t.Errorf("error %v, want fs.ErrNotExist and not ErrBusy", err)
	}
}

// archive is what a place offers that can read its archive.
type archive interface {
	OpenArchived(ctx context.Context, archived string) (io.ReadCloser, error)
}

func retires(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "a")
	publish(t, p, "b.csv", "b")
	if err := p.Retire(t.Context(), "a.csv", "2026-01/deep/000001 a.csv"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, p, "b.csv")
	if a, ok := p.(archive); ok {
		r, err := a.OpenArchived(t.Context(), "2026-01/deep/000001 a.csv")
		wantBytes(t, r, err, "a")
	}
	if err := p.Retire(t.Context(), "a.csv", "other.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("retire again: error %v, want fs.ErrNotExist", err)
	}
}

func retiresOnce(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "first")
	if err := p.Retire(t.Context(), "a.csv", "a.csv"); err != nil {
		t.Fatal(err)
	}
	publish(t, p, "a.csv", "second")
	if err := p.Retire(t.Context(), "a.csv", "a.csv"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want fs.ErrExist", err)
	}
	wantContent(t, p, "a.csv", "second")
	if a, ok := p.(archive); ok {
		r, err := a.OpenArchived(t.Context(), "a.csv")
		wantBytes(t, r, err, "first")
	}
}

func removes(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "a")
	for range 2 {
		if err := p.Remove(t.Context(), "a.csv"); err != nil {
			t.Error(err)
		}
	}
	wantNames(t, p)
}

func obeysContext(t *testing.T, p drop.Place) {
	publish(t, p, "a.csv", "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, listErr := p.List(ctx)
	_, openErr := p.Open(ctx, "a.csv")
	for verb, err := range map[string]error{
		"list": listErr, "open": openErr,
		"publish": p.Publish(ctx, "b.csv", strings.NewReader("b")),
		"retire":  p.Retire(ctx, "a.csv", "a.csv"),
		"remove":  p.Remove(ctx, "a.csv"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", verb, err)
		}
	}
	during, stop := context.WithCancel(t.Context())
	content := &staged{parts: []string{"one", "two"}, between: stop}
	if err := p.Publish(during, "b.csv", content); !errors.Is(err, context.Canceled) {
		t.Errorf("publish interrupted: error %v, want context.Canceled", err)
	}
	wantNames(t, p, "a.csv")
}

// staged is content that comes in parts.
type staged struct {
	parts   []string
	between func()
	end     error
}

func (s *staged) Read(b []byte) (int, error) {
	if s.between != nil {
		s.between()
	}
	if len(s.parts) == 0 {
		if s.end != nil {
			return 0, s.end
		}
		return 0, io.EOF
	}
	n := copy(b, s.parts[0])
	if s.parts[0] = s.parts[0][n:]; s.parts[0] == "" {
		s.parts = s.parts[1:]
	}
	return n, nil
}

func publish(t *testing.T, p drop.Place, name, content string) {
	t.Helper()
	if err := p.Publish(t.Context(), name, strings.NewReader(content)); err != nil {
		t.Fatalf("publish %q: %v", name, err)
	}
}

// wantNames compares the listing; temporary files are allowed as long as every
// reader knows them for junk.
func wantNames(t *testing.T, p drop.Place, want ...string) []drop.Entry {
	t.Helper()
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	var names []string
	for _, e := range all {
		if !drop.Junk(e.Name) {
			names = append(names, e.Name)
		}
	}
	sorted := slices.Sorted(slices.Values(want))
	slices.Sort(names)
	if !slices.Equal(names, sorted) {
		t.Errorf("place lists %q, want %q", names, sorted)
	}
	return all
}

func wantContent(t *testing.T, p drop.Place, name, want string) {
	t.Helper()
	r, err := p.Open(t.Context(), name)
	wantBytes(t, r, err, want)
}

func wantBytes(t *testing.T, r io.ReadCloser, err error, want string) {
	t.Helper()
	if err != nil {
		t.Errorf("open: %v", err)
		return
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
}

func read(ctx context.Context, p drop.Place, name string) (string, error) {
	r, err := p.Open(ctx, name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}
