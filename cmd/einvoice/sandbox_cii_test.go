package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/sandbox"
	"einvoice/mappers"
)

// TestTheRegulatedDocumentSaysTheSameInvoice sends invoices of every kind to
// the sandbox and reads its CII files with the mapping that reads everybody's.
func TestTheRegulatedDocumentSaysTheSameInvoice(t *testing.T) {
	box, err := sandbox.New(sandbox.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	call := func(method, path string, body []byte) []byte {
		t.Helper()
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, path, bytes.NewReader(body))
		req.Header.Set("Authorization", "Bearer test")
		box.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s\n%s", method, path, w.Code, w.Body, body)
		}
		return w.Body.Bytes()
	}
	call("POST", "/FR-configurations", []byte(`{"fiscal_id":"10000000900017"}`))
	text, ok := mappers.Preset("cii")
	if !ok {
		t.Fatal("there is no preset cii")
	}
	mapping, err := mappers.Load("cii", text)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(1, 7))
	for n := range 240 {
		want := anyInvoice(dice, n)
		body, err := api.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		id := field(t, call("POST", "/FR-invoices", body), "id")
		file := call("GET", "/sandbox/invoices/"+id+"/document.xml", nil)
		show(t, n, ".xml", file)
		show(t, n, ".pdf", call("GET", "/sandbox/invoices/"+id+"/document.pdf", nil))
		got, problems := readCII(t, mapping, file)
		if len(problems) > 0 {
			t.Errorf("%s: %s", want.Number, problems)
		}
		if rules := broken(t, file); len(rules) > 0 {
			t.Errorf("%s breaks %s\n%s", want.Number, rules, file)
		}
		for _, d := range otherThan(want, got) {
			t.Errorf("%s: %s\n%s", want.Number, d, file)
		}
		if t.Failed() {
			return
		}
		for _, l := range want.Lines {
			code := map[string]string{"E": "VATEX-EU-132", "AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}[l.Category]
			if !strings.Contains(string(file), code) || code == "" && strings.Contains(string(file), "VATEX") {
				t.Errorf("%s: reason of category %s", want.Number, l.Category)
			}
		}
	}
}

// show keeps a document for the validators of .ci/nightly/factur-x.
func show(t *testing.T, n int, ext string, content []byte) {
	t.Helper()
	dir := os.Getenv("EINVOICE_REGULATED_DIR")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d", n)+ext), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func field(t *testing.T, answer []byte, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(string(answer), `"`+name+`":"`)
	value, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		t.Fatalf("no %s in %s", name, answer)
	}
	return value
}

// anyInvoice makes a right invoice; its category goes round with n.
func anyInvoice(dice *rand.Rand, n int) connector.Invoice {
	category := []string{"S", "Z", "E", "AE", "K", "G", "O"}[n%7]
	inv := connector.Invoice{
		Number: fmt.Sprintf("FA-2026-%04d", n), Type: "380", IssueDate: "2026-11-20", DueDate: "2026-12-20", Currency: "EUR",
		Seller: connector.Party{Name: "Atelier Témoin & Fils", FiscalID: "10000000900017", VATID: "FR88100000009",
			Address: connector.Address{Street: "12 rue des Essais", ZIP: "75011", City: "Paris", Country: "FR"}},
		Buyer: connector.Party{Name: "Menuiserie <Exemple>", FiscalID: "20000000800017", VATID: "FR37200000008", Email: "compta@exemple.test",
			Address: connector.Address{Street: "4 chemin du Rabot", ZIP: "44000", City: "Nantes", Country: "FR"}},
		Payment: connector.Payment{Means: "sepa_credit_transfer", IBAN: "FR7630001007941234567890185"},
		Buying:  connector.Buying{ServiceCode: "SERV-1", CommitmentNumber: fmt.Sprintf("ENG-%d", n)},
	}
	if category == "O" {
		inv.Seller.VATID, inv.Buyer.VATID = "", ""
	}
	if n%5 == 0 {
		inv.Type = "381"
	}
	if n%9 == 4 {
		inv.Currency = "USD"
	}
	for range 1 + dice.IntN(6) {
		inv.Lines = append(inv.Lines, anyLine(dice, category))
	}
	if n%3 == 0 { // a discount is a line that takes back
		less := anyLine(dice, category)
		less.Rate = inv.Lines[0].Rate
		less.Description, less.Quantity = "Remise", connector.MustAmount("-1")
		less.UnitPrice = connector.MustAmount(fmt.Sprintf("0.%02d", dice.IntN(100)))
		inv.Lines = append(inv.Lines, less)
	}
	if err := inv.Complete(); err != nil {
		panic(err)
	}
	return inv
}

func anyLine(dice *rand.Rand, category string) connector.Line {
	l := connector.Line{
		Description: "Pièce n° " + fmt.Sprint(dice.IntN(99)) + " d'œuvre", Unit: []string{"C62", "HUR", "KGM"}[dice.IntN(3)], Category: category,
		Quantity:  connector.AmountOf(decimal.MustNew(1+dice.Int64N(99999), dice.IntN(4))),
		UnitPrice: connector.AmountOf(decimal.MustNew(1+dice.Int64N(999999), dice.IntN(5))), Rate: connector.MustAmount("0"),
	}
	if category == "S" {
		l.Rate = connector.MustAmount([]string{"20", "10", "5.5", "2.1", "8.5"}[dice.IntN(5)])
	}
	return l
}

func readCII(t *testing.T, m *mappers.Mapping, file []byte) (connector.Invoice, string) {
	t.Helper()
	var got []mappers.Result
	report, err := m.Read(t.Context(), mappers.Export{
		Name: "facture.xml", Size: int64(len(file)), TempDir: t.TempDir(),
		Open: func() (io.ReadSeekCloser, error) { return memory{bytes.NewReader(file)}, nil },
	}, func(r mappers.Result) error { got = append(got, r); return nil })
	if err != nil || len(got) != 1 {
		t.Fatalf("%d invoices: %v\n%s", len(got), err, file)
	}
	var problems []string
	for _, p := range append(report.Problems, got[0].Problems...) {
		problems = append(problems, fmt.Sprint(p))
	}
	return got[0].Invoice, strings.Join(problems, "; ")
}

// memory is a file that is read from memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// otherThan lists what a file says otherwise than the invoice that was sent.
func otherThan(want, got connector.Invoice) []string {
	var list []string
	same := func(name string, w, g any) {
		if fmt.Sprint(w) != fmt.Sprint(g) {
			list = append(list, fmt.Sprintf("%s: %v, want %v", name, g, w))
		}
	}
	amount := func(name string, w, g connector.Amount) {
		if !w.Equal(g) {
			list = append(list, fmt.Sprintf("%s: %s, want %s", name, g, w))
		}
	}
	if err := got.Complete(); err != nil {
		return []string{err.Error()}
	}
	same("number", want.Number, got.Number)
	same("type", want.Type, got.Type)
	same("issue date", want.IssueDate, got.IssueDate)
	same("due date", want.DueDate, got.DueDate)
	same("currency", want.Currency, got.Currency)
	for role, p := range map[string][2]connector.Party{"seller": {want.Seller, got.Seller}, "buyer": {want.Buyer, got.Buyer}} {
		if want.Lines[0].Category == "O" {
			p[1].VATID = p[0].VATID
		}
		p[1].Email = p[0].Email
		same(role, p[0], p[1])
	}
	same("IBAN", want.IBAN, got.IBAN)
	same("service code", want.ServiceCode, got.ServiceCode)
	same("commitment", want.CommitmentNumber, got.CommitmentNumber)
	same("lines", len(want.Lines), len(got.Lines))
	for i := range min(len(want.Lines), len(got.Lines)) {
		w, g, line := want.Lines[i], got.Lines[i], fmt.Sprintf("line %d ", i+1)
		same(line+"text", w.Description, g.Description)
		same(line+"unit", w.Unit, g.Unit)
		same(line+"category", w.Category, g.Category)
		amount(line+"quantity", w.Quantity, g.Quantity)
		amount(line+"price", w.UnitPrice, g.UnitPrice)
		amount(line+"net", w.Net, g.Net)
		amount(line+"rate", w.Rate, g.Rate)
	}
	same("VAT groups", len(want.Taxes), len(got.Taxes))
	amount("net", want.Totals.Net, got.Totals.Net)
	amount("VAT", want.Totals.Tax, got.Totals.Tax)
	amount("gross", want.Totals.Gross, got.Totals.Gross)
	amount("payable", want.Totals.Payable, got.Totals.Payable)
	return list
}

// TestTheSandboxStaysOnThisMachine: it asks for no password, so that others
// reach it only by force.
func TestTheSandboxStaysOnThisMachine(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		var out, diag bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		code := execute(ctx, []string{"sandbox", "--listen", listen}, streams{in: strings.NewReader(""), out: &out, err: &diag})
		stop()
		if code != exitUsage || !strings.Contains(diag.String(), "--force") {
			t.Errorf("--listen %s: exit code %d\n%s", listen, code, &diag)
		}
	}
}
