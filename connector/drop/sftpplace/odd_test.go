package sftpplace_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"einvoice/connector/drop"
	"einvoice/connector/drop/droptest"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/setting"
)

// skewed is a server whose clock is off.
type skewed struct {
	sftptest.Real
	by time.Duration
}

type otherTime struct {
	fs.FileInfo
	by time.Duration
}

func (o otherTime) ModTime() time.Time { return o.FileInfo.ModTime().Add(o.by) }

func (s skewed) Filelist(r *sftp.Request) (sftp.ListerAt, error) { return s.shift(s.Real.Filelist(r)) }
func (s skewed) Lstat(r *sftp.Request) (sftp.ListerAt, error)    { return s.shift(s.Real.Lstat(r)) }

func (s skewed) shift(l sftp.ListerAt, err error) (sftp.ListerAt, error) {
	if err != nil {
		return nil, err
	}
	return shifted{l, s.by}, nil
}

type shifted struct {
	sftp.ListerAt
	by time.Duration
}

func (s shifted) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	n, err := s.ListerAt.ListAt(to, offset)
	for i := range to[:n] {
		to[i] = otherTime{to[i], s.by}
	}
	return n, err
}

// TestServerClockThatIsYearsOff: a file is whole by two looks of ours, and what
// an interrupted transfer left goes by the server's own clock: neither sooner,
// when somebody may still be writing it, nor never.
func TestServerClockThatIsYearsOff(t *testing.T) {
	for name, by := range map[string]time.Duration{"behind": -3 * 365 * 24 * time.Hour, "ahead": 3 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(skewed{by: by}).Serve})
			p, dir := place(t, s, s.Section())
			fresh, old := filepath.Join(dir, ".einvoice-1.tmp"), filepath.Join(dir, ".einvoice-2.tmp")
			for _, path := range []string{fresh, old, filepath.Join(dir, "export.csv")} {
				if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := time.Now().Add(-25 * time.Hour)
			if err := os.Chtimes(old, before, before); err != nil {
				t.Fatal(err)
			}
			if err := p.Publish(t.Context(), "status.csv", strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(fresh); err != nil {
				t.Errorf("what somebody may still write was removed: %v", err)
			}
			if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
				t.Error("what a transfer of yesterday left stays for ever")
			}
			now := time.Now()
			cfg := drop.Defaults()
			cfg.Settle, cfg.Include = setting.Duration(10*time.Second), []string{"export.csv"}
			w := drop.NewWatcher(p, cfg, drop.WatcherOptions{Now: func() time.Time { return now }})
			for look, want := range []int{0, 0, 1} {
				ready, _, err := w.Scan(t.Context())
				if err != nil || len(ready) != want {
					t.Errorf("look %d: ready %v, %v; want %d", look, ready, err, want)
				}
				now = now.Add(6 * time.Second)
			}
		})
	}
}

// folding is a server to which letter case means nothing, as Windows is.
type folding struct{ sftptest.Real }

// find gives a name the letter case in which it stands, as such a server does.
func find(full string) string {
	entries, _ := os.ReadDir(filepath.Dir(full))
	for _, e := range entries {
		if strings.EqualFold(e.Name(), filepath.Base(full)) {
			return filepath.Join(filepath.Dir(full), e.Name())
		}
	}
	return full
}

func (f folding) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	r.Filepath = find(r.Filepath)
	return f.Real.Fileread(r)
}

func (f folding) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	r.Filepath = find(r.Filepath)
	return f.Real.Filewrite(r)
}

func (f folding) Filecmd(r *sftp.Request) error {
	r.Filepath = find(r.Filepath)
	if r.Target != "" {
		r.Target = find(r.Target)
	}
	return f.Real.Filecmd(r)
}

func (f folding) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	r.Filepath = find(r.Filepath)
	return f.Real.Filelist(r)
}

func (f folding) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	r.Filepath = find(r.Filepath)
	return f.Real.Lstat(r)
}

// TestServerToWhichLetterCaseMeansNothing behaves like any other, and an
// archived original is not lost to one whose name differs in case only.
func TestServerToWhichLetterCaseMeansNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this machine is such a server itself")
	}
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(folding{}).Serve})
	droptest.Run(t, func(t *testing.T) drop.Place { p, _ := place(t, s, s.Section()); return p }, droptest.OldOrNew)
	p, dir := place(t, s, s.Section())
	for i, name := range []string{"Ventes.csv", "VENTES.CSV"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		err := p.Retire(t.Context(), name, "2026-11/"+name)
		if i == 0 && err != nil || i == 1 && !errors.Is(err, fs.ErrExist) {
			t.Errorf("retire %s: %v", name, err)
		}
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "VENTES.CSV")); err != nil || string(kept) != "VENTES.CSV" {
		t.Errorf("the second original: %q, %v", kept, err)
	}
}

// lying lists names that lead outside.
type lying struct{ sftptest.Real }

type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

type names []fs.FileInfo

func (l names) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	return copy(to, l[offset:]), io.EOF
}

func (h lying) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method != "List" {
		return h.Real.Filelist(r)
	}
	info, err := os.Stat(os.Args[0])
	if err != nil {
		return nil, err
	}
	return names{renamed{info, "../outside.csv"}, renamed{info, "/etc/outside.csv"}, renamed{info, `..\outside.csv`}}, nil
}

// TestServerThatListsPathsOutside: whatever it lists, nothing outside the
// directory is read, moved or removed.
func TestServerThatListsPathsOutside(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(lying{}).Serve})
	p, dir := place(t, s, s.Section())
	outside := filepath.Join(filepath.Dir(dir), "outside.csv")
	if err := os.WriteFile(outside, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, err := p.List(t.Context())
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if r, err := p.Open(t.Context(), e.Name); err == nil {
			if _, err := io.ReadAll(r); err == nil {
				t.Errorf("%q was read", e.Name)
			}
			r.Close()
		}
		if p.Retire(t.Context(), e.Name, "x") == nil {
			t.Errorf("%q was retired", e.Name)
		}
		_ = p.Remove(t.Context(), e.Name)
	}
	if kept, err := os.ReadFile(outside); err != nil || string(kept) != "kept" {
		t.Errorf("outside: %q, %v", kept, err)
	}
}

// counting counts what a server is asked about single names.
type counting struct {
	sftptest.Real
	asked *atomic.Int64
}

func (c counting) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method != "List" {
		c.asked.Add(1)
	}
	return c.Real.Filelist(r)
}

func (c counting) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	c.asked.Add(1)
	return c.Real.Lstat(r)
}

// TestWhatWasListedIsNotAskedFor: looking at a directory and fetching what it
// lists takes no question about a single file.
func TestWhatWasListedIsNotAskedFor(t *testing.T) {
	var asked atomic.Int64
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(counting{asked: &asked}).Serve})
	p, dir := place(t, s, s.Section())
	for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("x"), 100_000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := drop.Defaults()
	cfg.Settle = 0
	now := time.Now()
	w := drop.NewWatcher(p, cfg, drop.WatcherOptions{Now: func() time.Time { now = now.Add(time.Second); return now }})
	var ready []drop.Entry
	for range 5 {
		var err error
		if ready, _, err = w.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range ready {
		if got, err := fetch(t.Context(), p, e.Name); err != nil || len(got) != 100_000 {
			t.Errorf("%s: %d bytes, %v", e.Name, len(got), err)
		}
	}
	if len(ready) != 3 || asked.Load() != 0 {
		t.Errorf("%d ready; %d questions about single files, want none", len(ready), asked.Load())
	}
	if _, err := p.Open(t.Context(), "unlisted.csv"); err == nil || asked.Load() == 0 {
		t.Errorf("a name that was not listed: %v, %d questions", err, asked.Load())
	}
}
