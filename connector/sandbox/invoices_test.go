package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestScenarios: the words in number, name and e-mail choose an invoice's life.
func TestScenarios(t *testing.T) {
	for _, c := range []struct {
		story, number, fiscalID, name string
		state, external, reason       string
		network                       string
	}{
		{"delivered by default", "FA-1", buyer, "Menuiserie", "DONE", "made_available", "", "fr-dgfip"},
		{"refused by number", "FA-REFUSE-1", buyer, "Menuiserie", "ERROR", "refused", "TX_TVA_ERR", "fr-dgfip"},
		{"refused by name", "FA-1", buyer, "Le refusé permanent", "ERROR", "refused", "TX_TVA_ERR", "fr-dgfip"},
		{"refused by directory", "FA-1", "300000007", "Quelqu'un", "ERROR", "refused", "TX_TVA_ERR", "fr-dgfip"},
		{"refused after delivery", "TARDIF", buyer, "Menuiserie", "ERROR", "refused", "TX_TVA_ERR", "fr-dgfip"},
		{"rejected", "FA-REJET", buyer, "Menuiserie", "ERROR", "rejected", "MONTANTTOTAL_ERR", "fr-dgfip"},
		{"inadmissible", "irrecevable", buyer, "Menuiserie", "ERROR", "inadmissible", "IRR_SYNTAX", "fr-dgfip"},
		{"routing error", "ROUTAGE", buyer, "Menuiserie", "ERROR", "routing_error", "ROUTAGE_ERR", "fr-dgfip"},
		{"disputed, then approved", "LITIGE", buyer, "Menuiserie", "DONE", "approved", "", "fr-dgfip"},
		{"suspended", "SUSPENDU", buyer, "Menuiserie", "SENT", "suspended", "JUSTIF_ABS", "fr-dgfip"},
		{"paid", "FA-1", "50000000500015", "Paye Comptant", "DONE", "paid", "", "fr-dgfip"},
		{"stuck", "FA-1", buyer, "Coincé SA", "SENT", "issued", "", "fr-dgfip"},
		{"unreachable", "FA-1", buyer, "INJOIGNABLE", "DONE", "submitted", "NON_TRANSMISE", "email"},
		{"public body", "FA-1", "800000002", "Commune", "DONE", "approved", "", "chorus-pro"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{}).registered()
			v := r.must(200, "POST", "/FR-invoices", invoiceTo(c.number, c.fiscalID, c.name))
			if at(v, "data", "state") != "NEW" || at(v, "data", "details", "external_status") != "submitted" {
				t.Errorf("answer to the POST: %v", v["data"])
			}
			v = r.must(200, "GET", fmt.Sprintf("/FR-invoices/%s?refresh=true", at(v, "data", "id")), "")
			reason, _ := at(v, "data", "details", "reason_code").(string)
			got := []any{at(v, "data", "state"), at(v, "data", "details", "external_status"), reason, at(v, "data", "details", "network")}
			want := []any{c.state, c.external, c.reason, c.network}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("ends as %v, want %v", got, want)
			}
			if n := r.Books().Refreshes; n != 1 {
				t.Errorf("%d refreshes counted", n)
			}
		})
	}
}

func TestPostRefusals(t *testing.T) {
	good := invoiceTo("FA-1", buyer, "Menuiserie")
	for _, c := range []struct {
		story, old, new string
		strict          bool
		status          int
		says            string
	}{
		{"the good one", "", "", true, 200, ""},
		{"no number", `"FA-1"`, `" "`, false, 422, "document_number"},
		{"no date", `2026-11-20`, ``, false, 422, "issue_date"},
		{"no such date", `2026-11-20`, `2026-02-30`, false, 422, "issue_date"},
		{"no currency", `"EUR"`, `""`, false, 422, "currency"},
		{"no total", `"total_amount_including_tax":61.20,`, ``, false, 422, "total_amount_including_tax"},
		{"no lines", `"invoice_lines"`, `"lines"`, false, 422, "invoice_lines"},
		{"a line without a text", `"Réglage"`, `""`, false, 422, "invoice_lines[0].description"},
		{"a line without a quantity", `"quantity":2,`, ``, false, 422, "invoice_lines[0].quantity"},
		{"a line without a price", `"unit_price":25.50,`, ``, false, 422, "invoice_lines[0].unit_price"},
		{"a line without a rate", `,"tax_rate":20`, ``, false, 422, "invoice_lines[0].tax_rate"},
		{"an amount in words", `61.20`, `"much"`, false, 400, "not a number"},
		{"an amount beyond exactness", `61.20`, `12345678901234567890`, false, 400, "not a number"},
		{"amounts as texts", `25.50`, `"25.50"`, true, 200, ""},
		{"an overflow", `25.50`, `9999999999999999999`, false, 422, "invoice_lines[0]"},
		{"cut in half", good[40:], ``, false, 400, "Invalid input data"},
		{"unknown sender", seller, "20000000800017", false, 404, "not registered"},
		{"a wrong total passes", `61.20`, `99.99`, false, 200, ""},
		{"a wrong total, strict", `61.20`, `99.99`, true, 422, "total_amount_including_tax"},
		{"a cent of rounding, strict", `61.20`, `61.21`, true, 200, ""},
		{"a wrong SIRET passes", buyer, "20000000800018", false, 200, ""},
		{"a wrong SIRET, strict", buyer, "20000000800018", true, 422, "recipient.fiscal_id"},
		{"a wrong VAT key, strict", "FR88100000009", "FR12100000009", true, 422, "sender.vat_id"},
		{"no buyer's id, strict", buyer, "", true, 422, "recipient.fiscal_id"},
		{"a wrong line passes", `"tax_rate":20`, `"tax_rate":20,"total_net_amount":50`, false, 200, ""},
		{"a wrong line, strict", `"tax_rate":20`, `"tax_rate":20,"total_net_amount":50`, true, 422, "invoice_lines[0].total_net_amount"},
		{"a wrong breakdown, strict", `"currency"`, `"tax_subtotals":[{"taxable_amount":50,"tax_amount":10,"vat_rate":20,"tax_category":"standard"}],"currency"`, true, 422, "tax_subtotals"},
		{"a rate of no line, strict", `"currency"`, `"tax_subtotals":[{"taxable_amount":51,"tax_amount":10.20,"vat_rate":20},{"taxable_amount":0,"tax_amount":0,"vat_rate":10}],"currency"`, true, 422, "tax_subtotals"},
		{"a right breakdown, strict", `"currency"`, `"tax_subtotals":[{"taxable_amount":51,"tax_amount":10.20,"vat_rate":20,"tax_category":"S"}],"currency"`, true, 200, ""},
		{"a type of no list passes", `"currency"`, `"type":"invoice","currency"`, false, 200, ""},
		{"a type of no list, strict", `"currency"`, `"type":"invoice","currency"`, true, 422, "type"},
		{"a credit note, strict", `"currency"`, `"type":"381","currency"`, true, 200, ""},
		{"a VAT category of no list, strict", `"tax_rate":20`, `"tax_rate":20,"tax_category":"normal"`, true, 422, "invoice_lines[0].tax_category"},
		{"a VAT category in EN 16931's own code, strict", `"tax_rate":20`, `"tax_rate":20,"tax_category":"S"`, true, 200, ""},
		{"an attachment that is no base64, strict", `"currency"`, `"attachments":[{"document":"%PDF-1.4","mime_type":"application/pdf","filename":"a.pdf"}],"currency"`, true, 422, "attachments[0].document"},
		{"an attachment, strict", `"currency"`, `"attachments":[{"document":"JVBERi0xLjQ=","mime_type":"application/pdf","filename":"a.pdf"}],"currency"`, true, 200, ""},
		{"a number with a blank, strict", `FA-1"`, `FA 1"`, true, 422, "document_number"},
		{"due before it was issued, strict", `"currency"`, `"payment_means":[{"due_date":"2026-11-01"}],"currency"`, true, 422, "due_date"},
		{"a public body without its service code, strict", buyer, "810000000", true, 422, "chorus_pro_service_code"},
		{"a public body without its service code passes", buyer, "810000000", false, 200, ""},
		{"a wrong IBAN, strict", `"currency"`, `"payment_means":[{"financial_account":"FR7630006000011234567890123"}],"currency"`, true, 422, "financial_account"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{Strict: c.strict}).registered()
			v := r.must(c.status, "POST", "/FR-invoices", strings.Replace(good, c.old, c.new, 1))
			if message, _ := v["message"].(string); !strings.Contains(message, c.says) {
				t.Errorf("says %q, want something about %s", message, c.says)
			}
			taken := 0
			for _, d := range r.Books().Documents {
				taken += len(d.IDs)
			}
			if (taken == 1) != (c.status == 200) {
				t.Errorf("%d invoices taken", taken)
			}
		})
	}
}

func TestACompanyWithoutCustomerInvoicesCannotSend(t *testing.T) {
	r := open(t, Options{})
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"100000009","supplier_invoice":true}`)
	if v := r.must(400, "POST", "/FR-invoices", invoiceTo("A", buyer, "M")); v["error"] != 174.0 {
		t.Errorf("error %v", v["error"])
	}
}

func TestUnverifiedFields(t *testing.T) {
	body := strings.Replace(invoiceTo("FA-1", buyer, "Menuiserie"), `"currency"`, `"type":"381","chorus_pro_service_code":"S1","currency"`, 1)
	body = strings.Replace(body, `"tax_rate":20`, `"tax_rate":20,"unit_of_measure":"HUR"`, 1)
	for _, c := range []struct {
		mode          string
		status        int
		kind, service any
		unit          any
	}{
		{"accept", 200, "381", "S1", "HUR"},
		{"ignore", 200, "380", nil, "C62"},
		{"reject", 400, nil, nil, nil},
	} {
		t.Run(c.mode, func(t *testing.T) {
			r := open(t, Options{Unverified: c.mode}).registered()
			v := r.must(c.status, "POST", "/FR-invoices", body)
			got := []any{at(v, "data", "type"), at(v, "data", "chorus_pro_service_code"), at(v, "data", "invoice_lines", 0, "unit_of_measure")}
			if fmt.Sprint(got) != fmt.Sprint([]any{c.kind, c.service, c.unit}) {
				t.Errorf("kept %v", got)
			}
			if message, _ := v["message"].(string); c.status == 400 && !strings.Contains(message, "invoice_lines.unit_of_measure") {
				t.Errorf("says %q", message)
			}
		})
	}
}

func TestTheSameNumberAgain(t *testing.T) {
	for _, c := range []struct {
		mode   string
		status int
		says   string
		twice  int
	}{
		{"accept", 200, "", 1}, {"conflict", 409, "already exists", 0}, {"doublon", 422, "DOUBLON", 0},
	} {
		t.Run(c.mode, func(t *testing.T) {
			r := open(t, Options{Duplicates: c.mode}).registered()
			r.post("FA-1")
			v := r.must(c.status, "POST", "/FR-invoices", invoiceTo("FA-1", buyer, "Menuiserie"))
			if message, _ := v["message"].(string); !strings.Contains(message, c.says) {
				t.Errorf("says %q", message)
			}
			// Another year is another document.
			r.must(200, "POST", "/FR-invoices", strings.Replace(invoiceTo("FA-1", buyer, "M"), "2026-11", "2025-11", 1))
			b := r.Books()
			if len(b.Twice()) != c.twice || b.Documents[1].Posts != 2 || b.Documents[0].Year != "2025" {
				t.Errorf("books: %+v", b.Documents)
			}
		})
	}
}

func TestAnInadmissibleNumberMayComeAgain(t *testing.T) {
	r := open(t, Options{Duplicates: "conflict"}).registered()
	r.post("IRRECEVABLE-1")
	r.settle()
	r.post("IRRECEVABLE-1")
	r.settle()
}

func TestMoneyIsExact(t *testing.T) {
	r := open(t, Options{}).registered()
	body := strings.Replace(invoiceTo("A", buyer, "M"), `{"description":"Réglage","quantity":2,"unit_price":25.50,"tax_rate":20}`,
		`{"description":"a","quantity":3,"unit_price":0.335,"tax_rate":5.5},{"description":"b","quantity":1,"unit_price":-0.005,"tax_rate":20},
		 {"description":"c","quantity":1,"unit_price":10,"tax_rate":0},{"description":"d","quantity":1,"unit_price":0.30,"tax_rate":5.50}`, 1)
	v := r.must(200, "POST", "/FR-invoices", body)
	got, err := json.Marshal(at(v, "data", "tax_subtotals"))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"tax_amount":0.07,"tax_category":"standard","taxable_amount":1.31,"vat_rate":5.5},` +
		`{"tax_amount":0,"tax_category":"standard","taxable_amount":-0.01,"vat_rate":20},` +
		`{"tax_amount":0,"tax_category":"zero_rated","taxable_amount":10,"vat_rate":0}]`
	if string(got) != want {
		t.Errorf("subtotals\n%s, want\n%s", got, want)
	}
	if at(v, "data", "total_amount_excluding_tax") != 11.3 || at(v, "data", "total_amount_including_tax") != 61.2 {
		t.Errorf("totals: %v", v["data"])
	}
}

// TestABreakdownWithoutCategoryIsShownWithOne: as the page shows it, and as the
// lines have it.
func TestABreakdownWithoutCategoryIsShownWithOne(t *testing.T) {
	r := open(t, Options{}).registered()
	v := r.must(200, "POST", "/FR-invoices", strings.Replace(invoiceTo("A", buyer, "M"), `"currency"`,
		`"tax_subtotals":[{"taxable_amount":51,"tax_amount":10.20,"vat_rate":20},{"taxable_amount":0,"tax_amount":0,"vat_rate":0}],"currency"`, 1))
	for i, want := range []string{"standard", "zero_rated"} {
		if got := at(v, "data", "tax_subtotals", i, "tax_category"); got != want {
			t.Errorf("category %d is %v, want %s", i, got, want)
		}
	}
}

// TestAnInvoiceBetweenTwoRegisteredCompanies arrives at the other with its own id.
func TestAnInvoiceBetweenTwoRegisteredCompanies(t *testing.T) {
	r := open(t, Options{}).registered()
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"200000008","supplier_invoice":true,"customer_invoice":false,
		"api_configurations":[{"event":"supplier_invoice","callback":{"url":"http://buyer.test/"}}]}`)
	id := r.post("FA-1")
	r.post("FA-REJET")
	v := r.must(200, "GET", "/FR-invoices?direction=incoming&fiscal_id=200000008", "")
	if list, _ := v["data"].([]any); len(list) != 1 {
		t.Fatalf("%d arrived, want only the one that was not rejected", len(list))
	}
	in := at(v, "data", 0)
	if at(in, "id") == id || at(in, "state") != "RECEIVED" || at(in, "document_number") != "FA-1" {
		t.Errorf("arrived as %v", in)
	}
	if _, err := time.Parse(layoutIncoming, at(in, "create_at").(string)); err != nil {
		t.Error(err)
	}
	r.settle()
	requests, _ := r.phone.calls()
	var called int
	for _, q := range requests {
		if q.URL.Host == "buyer.test" {
			called++
		}
	}
	if called != 1 {
		t.Errorf("the buyer was called %d times", called)
	}
}
