package api

import (
	"net/http/httptest"
	"testing"

	"einvoice/connector"
	"einvoice/connector/sandbox"
)

// The sandbox shares no type with this package; what works here reads the API's
// page alike on both sides.
func TestTheSandboxIsUnderstoodWithAndWithoutFaults(t *testing.T) {
	for _, c := range []struct {
		fault string
		fate  Fate
		there bool // the sandbox has the invoice all the same
	}{
		{"", Sent, true},
		{"reset_before", Unsure, false},
		{"html", Unsure, false},
		{"reset_after", Unsure, true},
		{"no_id", Unsure, true},
		{"truncate", Unsure, true},
	} {
		t.Run("fault "+c.fault, func(t *testing.T) {
			box, err := sandbox.New(sandbox.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer box.Close()
			server := httptest.NewServer(box)
			defer server.Close()
			client := newTestClient(t, server.URL, Options{})
			company := connector.Company{FiscalID: "10000000900017", Name: "Atelier Témoin SARL"}
			if err := client.Register(t.Context(), Registration{Company: company, CustomerInvoice: true, SupplierInvoice: true}); err != nil {
				t.Fatal(err)
			}
			if reg, ok, err := client.Registered(t.Context(), company.FiscalID); !ok || err != nil || !reg.CustomerInvoice {
				t.Fatalf("registered: %+v, %v, %v", reg, ok, err)
			}
			if c.fault != "" {
				box.AddFault(sandbox.Fault{On: "POST /FR-invoices", Kind: c.fault, Count: 1})
			}
			inv := usualInvoice()
			if a := client.Submit(t.Context(), inv); a.Fate != c.fate {
				t.Errorf("answer %+v", a)
			}
			found := 0
			for r, err := range client.List(t.Context(), Query{FiscalID: company.FiscalID, Direction: connector.Outgoing, Number: inv.Number, IssuedFrom: inv.IssueDate, IssuedTo: inv.IssueDate}) {
				if err != nil {
					t.Fatal(err)
				}
				if !r.Invoice.Totals.Gross.Equal(inv.Totals.Gross) {
					t.Errorf("total %s, sent %s", r.Invoice.Totals.Gross, inv.Totals.Gross)
				}
				found++
			}
			if (found == 1) != c.there {
				t.Errorf("found %d times", found)
			}
		})
	}
}
