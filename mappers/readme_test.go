package mappers

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

// TestTheManualIsTrue loads every mapping of README.md and runs its example.
func TestTheManualIsTrue(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(toml|csv|text)\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	var m *Mapping
	var results []Result
	examples := 0
	for _, b := range blocks {
		switch b[1] {
		case "toml":
			m = mustLoad(t, b[2])
		case "csv":
			var report Report
			results, report, err = readAll(t, m, exportOf("export.csv", newCharset(windows1252, nil).encode(b[2])))
			if err != nil || report.Refused() {
				t.Fatal(report, err)
			}
		case "text":
			examples++
			if got := outline(t, results); got != b[2] {
				t.Errorf("got:\n%s\nthe manual says:\n%s", got, b[2])
			}
		}
	}
	if examples != 1 || len(blocks) != 4 {
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
