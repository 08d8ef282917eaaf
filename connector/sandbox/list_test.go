package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func numbers(v map[string]any) string {
	var list []string
	data, _ := v["data"].([]any)
	for _, item := range data {
		list = append(list, at(item, "document_number").(string))
	}
	return strings.Join(list, " ")
}

func TestListFilters(t *testing.T) {
	r := open(t, Options{}).registered()
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"20000000800017","customer_invoice":true,"supplier_invoice":false}`)
	r.post("FA-1")
	r.post("FA-2-REJET")
	r.must(200, "POST", "/FR-invoices", strings.Replace(strings.Replace(invoiceTo("FA-3", buyer, "M"), "2026-11-20", "2026-10-01", 1),
		`"currency"`, `"type":"381","currency"`, 1))
	r.must(200, "POST", "/FR-invoices", strings.Replace(invoiceTo("FB-1", seller, "M"), seller, buyer, 1))
	r.settle()
	for _, c := range []struct{ query, want string }{
		{"", "FB-1 FB-1 FA-3 FA-2-REJET FA-1"}, // newest first; FB-1 came in at the seller as well
		{"fiscal_id=" + seller, "FB-1 FA-3 FA-2-REJET FA-1"},
		{"fiscal_id=100000009", "FB-1 FA-3 FA-2-REJET FA-1"},
		{"fiscal_id=10000000900025", ""},
		{"fiscal_id=" + seller + "," + buyer, "FB-1 FB-1 FA-3 FA-2-REJET FA-1"},
		{"document_number=FA-1", "FA-1"},
		{"document_number=FA-1&fiscal_id=" + buyer, ""},
		{"document_number=fa-1", ""},
		{"state=ERROR", "FA-2-REJET"},
		{"state=ERROR,RECEIVED", "FB-1 FA-2-REJET"},
		{"direction=incoming", "FB-1"},
		{"direction=outgoing&fiscal_id=" + buyer, "FB-1"},
		{"type=381", "FA-3"},
		{"issue_date=2026-10-01", "FA-3"},
		{"issue_date[before]=2026-11-19", "FA-3"},
		{"issue_date[after]=2026-11-01&fiscal_id=" + seller, "FB-1 FA-2-REJET FA-1"},
		{"issue_date[after]=2026-11-20&issue_date[before]=2026-11-20&direction=outgoing", "FB-1 FA-2-REJET FA-1"},
		{"skip=1&limit=2", "FB-1 FA-3"},
		{"skip=99", ""},
	} {
		if got := numbers(r.must(200, "GET", "/FR-invoices?"+c.query, "")); got != c.want {
			t.Errorf("?%s: %s, want %s", c.query, got, c.want)
		}
	}
	for _, bad := range []string{"skip=-1", "limit=all", "issue_date=20.11.2026"} {
		r.must(400, "GET", "/FR-invoices?"+bad, "")
	}
}

func TestPagesAreSmallByDefaultAndCapped(t *testing.T) {
	r := open(t, Options{}).registered()
	for i := range 130 {
		r.post(fmt.Sprintf("FA-%03d", i))
	}
	for _, c := range []struct {
		query string
		want  int
	}{{"", 25}, {"limit=100", 100}, {"limit=1000", 100}, {"limit=0", 1}, {"skip=100&limit=100", 30}} {
		v := r.must(200, "GET", "/FR-invoices?"+c.query, "")
		if data, _ := v["data"].([]any); len(data) != c.want {
			t.Errorf("?%s: %d invoices, want %d", c.query, len(data), c.want)
		}
	}
}

// TestManyInvoicesStayQuick holds 100,000 invoices; a page or a look-up by
// number may not scan them all.
func TestManyInvoicesStayQuick(t *testing.T) {
	few, many := lookUps(t, 1000), lookUps(t, 100_000)

	if many > 3*few {
		t.Errorf("look-ups took %s among 100,000 invoices, %s among 1,000", many, few)
	}
}

// lookUps is the shortest of five measures of the processor time of 40 look-ups
// among n invoices.
func lookUps(t *testing.T, n int) time.Duration {
	r := open(t, Options{}).registered()
	raw := []byte(invoiceTo("N", buyer, "M"))
	for i := range n {
		number := fmt.Sprintf("FA-%06d", i)
		r.keep(&record{ID: number, Owner: seller, Number: number, IssueDate: "2026-11-20", State: "DONE", Raw: raw, Phases: -1})
	}
	shortest := time.Hour
	for range 5 {
		before := worked()
		for i := range 40 {
			r.must(200, "GET", fmt.Sprintf("/FR-invoices?document_number=FA-%06d&direction=outgoing&fiscal_id=%s", i*n/40, seller), "")
		}
		r.must(200, "GET", "/FR-invoices?fiscal_id="+seller+"&limit=100", "")
		shortest = min(shortest, worked()-before)
	}
	return shortest
}
