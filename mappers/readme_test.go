package mappers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"einvoice/connector/problem"
)

// TestTheManualIsTrue loads every mapping of README.md and runs its example.
func TestTheManualIsTrue(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(toml|csv|text)(?: ([a-z.]+))?\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	var m *Mapping
	var results []Result
	examples, dir := 0, t.TempDir()
	for _, b := range blocks {
		switch b[1] {
		case "toml":
			if m, err = LoadIn(dir, "manual", []byte(b[3])); err != nil {
				t.Fatalf("%v\n%s", err, b[3])
			}
		case "csv":
			if b[2] != "" {
				writeFile(t, filepath.Join(dir, b[2]), b[3], time.Now())
				continue
			}
			var report Report
			results, report, err = readAll(t, m, exportOf("export.csv", newCharset(windows1252, nil).encode(b[3])))
			if err != nil || report.Refused() {
				t.Fatal(report, err)
			}
		case "text":
			examples++
			if got := outline(t, results); got != b[3] {
				t.Errorf("got:\n%s\nthe manual says:\n%s", got, b[3])
			}
		}
	}
	if examples != 4 || len(blocks) != 16 {
		t.Errorf("%d blocks, %d examples", len(blocks), examples)
	}
}

func outline(t *testing.T, results []Result) string {
	var out strings.Builder
	for _, r := range results {
		inv := r.Invoice
		fmt.Fprintf(&out, "%s %s ", inv.Type, inv.Number)
		if r.Refused() {
			p := r.Problems[0]
			fmt.Fprintf(&out, "refused: %s: %s\n", p.Where(problem.French), p.Message(problem.French))
			continue
		}
		fmt.Fprintf(&out, "%s %q %s\n", inv.IssueDate, inv.Buyer.Name, derived(t, inv).Gross)
		for _, l := range inv.Lines {
			fmt.Fprintf(&out, "  %s x %s %q %s %%\n", l.Quantity, l.UnitPrice, l.Description, l.Rate)
		}
	}
	return out.String()
}
