package mappers

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/problem"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the stories come to into their want section")

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// exportOf is an export held in memory.
func exportOf(name string, data []byte) Export {
	return Export{Name: name, Size: int64(len(data)), Open: func() (io.ReadSeekCloser, error) {
		return memory{bytes.NewReader(data)}, nil
	}}
}

func mustLoad(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := Load("test", []byte(text))
	if err != nil {
		t.Fatalf("load mapping:\n%v", err)
	}
	return m
}

// readAll maps an export and gives everything at once.
func readAll(t testing.TB, m *Mapping, e Export) ([]Result, Report, error) {
	t.Helper()
	var all []Result
	report, err := m.Read(context.Background(), e, func(r Result) error {
		all = append(all, r)
		return nil
	})
	return all, report, err
}

// TestStories reads every archive of testdata: a mapping, an export (in the
// encoding that the first line names) and what must come of it.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, archive)
			for i, f := range archive.Files {
				if f.Name != "want" {
					continue
				}
				if *update {
					archive.Files[i].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if want := string(f.Data); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
				return
			}
			t.Fatal("the story has no section called want")
		})
	}
}

func tell(t *testing.T, a *txtar.Archive) string {
	var m *Mapping
	for _, f := range a.Files {
		switch {
		case f.Name == "mapping.toml":
			m = mustLoad(t, string(f.Data))
		case strings.HasPrefix(f.Name, "export."):
			data := encodeAs(string(a.Comment), f.Data)
			e := exportOf(f.Name, data)
			e.TempDir = t.TempDir()
			results, report, err := readAll(t, m, e)
			return account(results, report, err)
		}
	}
	t.Fatal("the story has no export")
	return ""
}

// encodeAs turns the UTF-8 of a story into the encoding named in its first line.
func encodeAs(comment string, data []byte) []byte {
	first, _, _ := strings.Cut(comment, "\n")
	_, name, ok := strings.Cut(first, "encoding ")
	if !ok {
		return data
	}
	c := newCharset(canonicalEncoding(strings.TrimSpace(name)), nil)
	var out bytes.Buffer
	w := c.restore(&out)
	w.Write(c.encode(string(data)))
	w.Close()
	return out.Bytes()
}

// account writes what came of an export, one fact a line.
func account(results []Result, report Report, err error) string {
	var out strings.Builder
	for _, r := range results {
		inv := r.Invoice
		stated := inv.Totals.Gross
		fmt.Fprintf(&out, "#%d rows %s: %s %s %s %s", r.Ordinal, r.Rows, inv.Type, inv.Number, inv.IssueDate, inv.Currency)
		if r.Spoils != 0 {
			fmt.Fprintf(&out, " spoils #%d", r.Spoils)
		}
		if r.Release != "" {
			fmt.Fprintf(&out, " release %q", r.Release)
		}
		fmt.Fprintln(&out)
		if r.Ignored != "" {
			fmt.Fprintf(&out, "  ignored: %s\n", r.Ignored)
			continue
		}
		fmt.Fprintf(&out, "  from %q %s to %q %s %s\n", inv.Seller.Name, inv.Seller.FiscalID, inv.Buyer.Name, inv.Buyer.FiscalID, inv.Buyer.Address.ZIP)
		for _, l := range inv.Lines {
			fmt.Fprintf(&out, "  line %q %s %s x %s = %s at %s %s\n", l.Description, l.Quantity, l.Unit, l.UnitPrice, l.Net, l.Rate, l.Category)
		}
		if !r.Refused() {
			inv.Totals = connector.Totals{}
			if err := inv.Complete(); err != nil {
				fmt.Fprintf(&out, "  complete: %v\n", err)
			}
			fmt.Fprintf(&out, "  total %s, stated %q\n", inv.Totals.Gross, stated)
		}
		tellProblems(&out, r.Problems)
	}
	if err != nil {
		p, ok := errors.AsType[problem.Problem](err)
		if !ok {
			fmt.Fprintf(&out, "error: %v\n", err)
			return out.String()
		}
		fmt.Fprintln(&out, "unreadable:")
		tellProblems(&out, []problem.Problem{p})
		return out.String()
	}
	c := report.Controls
	fmt.Fprintf(&out, "file: %s, %d rows, {Documents:%d Ignored:%d Lines:%d}\n", report.Encoding, report.Rows, c.Documents, c.Ignored, c.Lines)
	for _, s := range c.Stated {
		fmt.Fprintf(&out, "  %s %q, ours %s\n", s.Name, s.Stated, s.Computed)
	}
	tellProblems(&out, report.Problems)
	return out.String()
}

func tellProblems(out *strings.Builder, ps []problem.Problem) {
	for _, p := range ps {
		fmt.Fprintf(out, "  %s %s %s [%s]\n    %s\n    %s\n", p.Severity, p.Code, p.Where(problem.English), p.Field, p.Message(problem.French), p.Remedy(problem.French))
	}
}

// TestEveryCodeHasTexts keeps the catalogue and the code in step.
func TestEveryCodeHasTexts(t *testing.T) {
	source, err := os.ReadFile("code.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range problem.Catalogue() {
		known[e.Code] = true
		if strings.HasPrefix(e.Code, "E2") && (e.MessageFR == "" || e.WhatFR == "" || e.MessageEN == "" || e.WhatEN == "") {
			t.Errorf("%s lacks a text", e.Code)
		}
	}
	var codes []string
	for _, part := range strings.Split(string(source), `"`) {
		if len(part) == 5 && strings.HasPrefix(part, "E2") {
			codes = append(codes, part)
		}
	}
	sort.Strings(codes)
	if len(codes) < 40 {
		t.Fatalf("found only %d codes", len(codes))
	}
	for i, c := range codes {
		if !known[c] {
			t.Errorf("%s has no entry in the catalogue", c)
		}
		if i > 0 && codes[i-1] == c {
			t.Errorf("%s is used for two things", c)
		}
	}
}
