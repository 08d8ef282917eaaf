package api

import (
	"encoding/json"
	"testing"
	"time"

	"einvoice/connector"
)

func TestOddSpellingsAreRead(t *testing.T) {
	r := remoteOf(json.RawMessage(`{
		"uuid": "u-1", "state": "done", "direction": "outoming", "document_number": 42,
		"issue_date": "2026-01-26T00:00:00Z", "amount_including_tax": "61.20", "total_tax_amount": 10.200000000000001,
		"amount_excluding_tax": 5.1e1, "sender": {"siren": "100 000 009", "street": "12 rue", "country_code": "FR"},
		"recipient": null, "invoice_lines": {"description": "one", "quantity": "2", "tax_category": "AE"},
		"payment_means": "none", "tax_subtotals": [null, 3, {"taxable_amount": null, "tax_category": "reverse_charge"}],
		"details": {"sdi_status": "REJECTED", "sdi_message": "", "service_code": "S1"},
		"attachments": [{"fileName": "a.pdf", "document": "data:application/pdf;base64,Zm9v\nYmFy"}, {"downloadUrl": "https://x"}],
		"created_at": 1738323790, "updated_at": "2026-01-26 14:06:43 +00:00", "something_new": {"a": [1]}}`))
	for _, c := range []struct{ what, got, want string }{
		{"id", r.ID, "u-1"},
		{"state", string(r.Status.State), "DONE"},
		{"direction", string(r.Direction), "outgoing"},
		{"number", r.Invoice.Number, "42"},
		{"issued", string(r.Invoice.IssueDate), "2026-01-26"},
		{"gross", r.Invoice.Totals.Gross.String(), "61.20"},
		{"tax", r.Invoice.Totals.Tax.String(), "10.2"},
		{"net", r.Invoice.Totals.Net.String(), "51"},
		{"siren", r.Invoice.Seller.SIREN(), "100000009"},
		{"street", r.Invoice.Seller.Address.Street, "12 rue"},
		{"line category", r.Invoice.Lines[0].Category, "AE"},
		{"tax category", r.Invoice.Taxes[0].Category, "AE"},
		{"service", r.Invoice.ServiceCode, "S1"},
		{"attachment", string(r.Invoice.Attached[0].Content), "foobar"},
		{"external", r.Status.External, "REJECTED"},
		{"created", r.Created.Format(time.RFC3339), "2025-01-31T11:43:10Z"},
		{"at", r.Status.At.UTC().Format(time.RFC3339), "2026-01-26T14:06:43Z"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if r.Status.Code != 213 || r.Invoice.Totals.Payable.Present() || r.Invoice.Taxes[0].Taxable.Present() {
		t.Errorf("status %+v, totals %+v", r.Status, r.Invoice.Totals)
	}
}

func TestTheReasonIsFoundWhereverItIs(t *testing.T) {
	for raw, want := range map[string][2]string{
		`{"details":{"reason_code":"CMD_ERR","reason":"no order"}}`:                           {"CMD_ERR", "no order"},
		`{"details":{"motif":"TX_TVA_ERR"}}`:                                                  {"TX_TVA_ERR", "TX_TVA_ERR"},
		`{"details":{"errors":[{"code":"SIRET_ERR","message":"unknown SIRET"}]}}`:             {"SIRET_ERR", "unknown SIRET"},
		`{"details":{"message":"refused: QTE_ERR on line 2"}}`:                                {"QTE_ERR", "refused: QTE_ERR on line 2"},
		`{"details":{"status_details":{"reason":"late"}}}`:                                    {"", "late"},
		`{"rejection_reason":"MONTANTTOTAL_ERR","details":{}}`:                                {"MONTANTTOTAL_ERR", "MONTANTTOTAL_ERR"},
		`{"details":{"external_status":"submitted","network":"fr-dgfip","service_code":"A"}}`: {"", ""},
		`{}`: {"", ""},
	} {
		s := remoteOf(json.RawMessage(raw)).Status
		if s.ReasonCode != want[0] || s.Reason != want[1] {
			t.Errorf("%s: %q, %q", raw, s.ReasonCode, s.Reason)
		}
	}
}

func TestTimesInAnyUnit(t *testing.T) {
	for _, at := range []string{`1795430000`, `1795430000000`, `1795430000000000`, `1795430000000000000`, `"2026-11-23T10:33:20Z"`, `"2026-11-23 10:33:20"`} {
		if got := remoteOf(json.RawMessage(`{"id":"a1","updated_at":` + at + `}`)).Status.At; got.Unix() != 1795430000 {
			t.Errorf("%s is %s", at, got)
		}
	}
	if got := remoteOf(json.RawMessage(`{"id":"a1","updated_at":"9999-12-31T23:59:59-10:00"}`)).Status.At; !got.IsZero() {
		t.Errorf("the end of time is %s", got)
	}
}

func TestStatusWords(t *testing.T) {
	for word, want := range map[string]int{
		"submitted": 200, "Made Available": 203, "approved": 205, "in-dispute": 207, "REFUSED": 210, "paid": 212,
		"rejected": 213, "210": 210, "fr:212": 212, "213_rejetee": 213, "501": 501, "": 0, "something else": 0, "2026": 0,
	} {
		if got := StatusCode(word); got != want {
			t.Errorf("%q: %d, want %d", word, got, want)
		}
	}
}

func TestCallbacksInEveryWrapping(t *testing.T) {
	const invoice = `{"id":"a1","state":"DONE","document_number":"FA-1"}`
	quoted, _ := json.Marshal(invoice)
	for _, c := range []struct {
		name, kind, body string
		want             Notice
	}{
		{"data and custom", "application/json", `{"data":` + invoice + `,"custom":{"k":1}}`, Notice{APIID: "a1", Custom: json.RawMessage(`{"k":1}`)}},
		{"custom null", "application/json", `{"data":` + invoice + `,"custom":null}`, Notice{APIID: "a1"}},
		{"wrapped twice", "application/json", `{"data":{"data":` + invoice + `,"custom":"x"}}`, Notice{APIID: "a1", Custom: json.RawMessage(`"x"`)}},
		{"bare", "", invoice, Notice{APIID: "a1"}},
		{"array of one", "application/json", `[` + invoice + `]`, Notice{APIID: "a1"}},
		{"JSON in a text", "application/json", `{"data":` + string(quoted) + `}`, Notice{APIID: "a1"}},
		{"form", "application/x-www-form-urlencoded", `data=%7B%22id%22%3A%22a1%22%2C%22state%22%3A%22DONE%22%7D`, Notice{APIID: "a1"}},
		{"form, other field, no type", "", `payload=%7B%22data%22%3A%7B%22id%22%3A%22a1%22%2C%22state%22%3A%22DONE%22%7D%7D`, Notice{APIID: "a1"}},
		{"legacy, supplier", "application/json", `{"event":"supplier_invoice","data":{"invoice":{"uuid":"a1","state":"RECEIVED","payload":{}}}}`,
			Notice{APIID: "a1", Event: "supplier-invoice", Direction: connector.Incoming}},
		{"legacy, notification", "application/json", `{"event":"customer-notification","data":{"notification":{"uuid":"n1","invoice_uuid":"a1","type":"RC"}}}`,
			Notice{APIID: "a1", Event: "customer-notification"}},
		{"direction of the invoice goes first", "application/json", `{"event":"customer-invoice","data":{"id":"a1","direction":"incoming"}}`,
			Notice{APIID: "a1", Event: "customer-invoice", Direction: connector.Incoming}},
		{"only an id", "application/json", `{"invoice_id":"a1"}`, Notice{APIID: "a1"}},
	} {
		n, err := ParseCallback(c.kind, []byte(c.body))
		if err != nil || n.APIID != c.want.APIID || n.Event != c.want.Event || n.Direction != c.want.Direction || string(n.Custom) != string(c.want.Custom) {
			t.Errorf("%s: %+v, %v", c.name, n, err)
		}
	}
}

func TestCallbacksThatNameNothingAreErrors(t *testing.T) {
	deep := `{"id":"a1"}`
	for range 20 {
		deep = `{"data":` + deep + `}`
	}
	for _, body := range []string{``, `null`, `[]`, `"text"`, `{}`, `{"data":null}`, `{"id":""}`, `{"id":{"a":1}}`, `<xml/>`, `a=b`, `%zz`, deep} {
		if n, err := ParseCallback("application/json", []byte(body)); err == nil {
			t.Errorf("%.60s: %+v", body, n)
		}
	}
}

func FuzzParseCallback(f *testing.F) {
	f.Add("application/json", []byte(`{"data":{"id":"a1","state":"DONE","details":{"errors":[{"a":1}]}},"custom":null}`))
	f.Add("application/x-www-form-urlencoded", []byte(`data=%7B%22id%22%3A1%7D`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		n, err := ParseCallback(kind, body)
		if (err == nil) != (n.APIID != "") {
			t.Errorf("id %q with error %v", n.APIID, err)
		}
	})
}

// TestTimesAreReadHoweverTheirZoneIsWritten: a supplier invoice with an old date
// that came today is delivered by when it came.
func TestTimesAreReadHoweverTheirZoneIsWritten(t *testing.T) {
	for text, want := range map[string]string{
		`"2026-01-26T14:06:43Z"`:              "2026-01-26T14:06:43Z",
		`"2026-01-26T14:06:43.5+01:00"`:       "2026-01-26T13:06:43Z",
		`"2026-01-26T14:06:43+0100"`:          "2026-01-26T13:06:43Z",
		`"2026-01-26T14:06:43.123456+0000"`:   "2026-01-26T14:06:43Z",
		`"2026-01-26 14:06:43 +00:00"`:        "2026-01-26T14:06:43Z",
		`"2026-01-26 14:06:43+00:00"`:         "2026-01-26T14:06:43Z",
		`"2026-01-26 14:06:43.5+01"`:          "2026-01-26T13:06:43Z",
		`"2026-01-26 14:06:43 UTC"`:           "2026-01-26T14:06:43Z",
		`"2026-01-26 14:06:43"`:               "2026-01-26T14:06:43Z",
		`1769436403`:                          "2026-01-26T14:06:43Z",
		`1769436403.25`:                       "2026-01-26T14:06:43Z",
		`"1769436403250"`:                     "2026-01-26T14:06:43Z",
		`"2026-01-26T14:06:43 CET"`:           "", // nobody says which
		`"2026-01-26"`:                        "",
		`"0001-01-01T00:00:00Z"`:              "",
		`"9999-12-31T23:59:59Z"`:              "",
		`{"date":"2026-01-26 14:06:43.0000"}`: "",
	} {
		got := ""
		if at := remoteOf([]byte(`{"id":"a","create_at":` + text + `}`)).Created; !at.IsZero() {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
