package outbox

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// copied is an export of two invoices in one format, the second of which has a
// price that the mapping does not know.
type copied struct {
	mapping, name, content string
	workbook               bool // its copy is one, or is asked to be
}

const (
	copiedFields = `
issue_date = { from = "%date", date = "yyyymmdd" }
currency = { value = "EUR" }
recipient.name = "%client"
recipient.fiscal_id = { value = "20000000800017" }
recipient.address.country = { value = "FR" }
`
	copiedLines = `
description = "%item"
quantity = { value = "1" }
unit_price = { from = "%price", map = "price" }
tax_rate = { value = "20" }
tax_category = { value = "S" }
`
	copiedTable = "number\tdate\tclient\titem\tprice\r\n" + "F1\t20261102\tÉpicerie\tVis\tA\r\n" + "F2\t20261102\t\"Duval\r\n& Fils\"\tClou\tB\r\n"
)

// fields are the fields of an invoice with the selectors of a format.
func fields(head, lines, date, client, item, price string) string {
	fill := strings.NewReplacer("%date", date, "%client", client, "%item", item, "%price", price)
	return "[invoice.fields]\n" + head + fill.Replace(copiedFields) + "[lines]\n" + lines + "[lines.fields]" + fill.Replace(copiedLines)
}

func copies(t *testing.T) map[string]copied {
	t.Helper()
	table := fields(`document_number = "number"`, "", "date", "client", "item", "price")
	ansi, err := charmap.Windows1252.NewEncoder().String(copiedTable)
	if err != nil {
		t.Fatal(err)
	}
	const csv = "[match]\nname = [\"x.*\"]\n[input]\nformat = \"csv\"\nencoding = \"windows-1252\"\ndelimiter = \"tab\"\n[invoice]\nkey = \"number\"\n"
	return map[string]copied{
		"a CSV":                     {csv + table, "x.csv", ansi, false},
		"a CSV, as a workbook":      {csv + table, "x.csv", ansi, true},
		"a workbook":                {strings.NewReplacer(`"csv"`, `"xlsx"`, "delimiter = \"tab\"\n", "", "encoding = \"windows-1252\"\n", "").Replace(csv) + table, "x.xlsx", sheetOf(t, copiedTable), true},
		"XML":                       {"[input]\nformat = \"xml\"\n[invoice]\neach = \"/lot/f\"\n" + fields(`document_number = "@no"`, "each = \"l\"\n", "d", "c", "t", "p"), "x.xml", "<?xml version=\"1.0\"?>\n<lot><!-- kept -->\n <f no='F1'><d>20261102</d><c>Épicerie</c><l><t>Vis</t><p>A</p></l></f>\n <f no='F2'><d>20261102</d><c>Duval &amp; Fils</c><l><t>Clou</t><p>B</p></l></f>\n</lot>", false},
		"fixed width":               {"[input]\nformat = \"fixed\"\nencoding = \"iso-8859-15\"\ntype = \"1+1\"\n[invoice]\nstart = \"H\"\n" + fields(`document_number = "H.2+2"`, "each = \"L\"\n", "H.4+8", "H.12+10", "L.2+5", "L.7+1"), "x.txt", "HF120261102Epicerie  \r\nLVis  A\r\nHF220261102Duval     \r\nLClou B\r\n", false},
		"typed records, a last one": {"[input]\nformat = \"csv\"\ndelimiter = \"|\"\nquote = \"\"\n[invoice]\nstart = \"H\"\n" + fields(`document_number = "H.2"`, "each = \"L\"\n", "H.3", "H.4", "L.2", "L.3") + "[complete]\nrecord = \"Z\"\ncount = \"Z.2\"\n", "x.csv", "H|F1|20261102|Épicerie\nL|Vis|A\nH|F2|20261102|Duval\nL|Clou|B\nZ|2\n", false},
	}
}

// sheetOf is a tab-separated table as the sheet of a workbook.
func sheetOf(t *testing.T, table string) string {
	t.Helper()
	return string(bookOf(t, strings.Split(strings.TrimSpace(strings.ReplaceAll(table, "\"Duval\r\n& Fils\"", "Duval")), "\r\n"), "\t"))
}

// bookOf is a workbook of texts.
func bookOf(t *testing.T, lines []string, between string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, line := range lines {
		for j, cell := range strings.Split(line, between) {
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err == nil {
				err = f.SetCellStr("Sheet1", at, cell)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestACopyOfEachFormatComesBack: unedited it refuses the same invoice and has no
// other effect; edited it goes through, as it does once the mapping was mended.
func TestACopyOfEachFormatComesBack(t *testing.T) {
	const known, mended = "[map.price]\nA = \"10\"\n", "[map.price]\nA = \"10\"\nB = \"11\"\n"
	for what, c := range copies(t) {
		t.Run(what, func(t *testing.T) {
			with := func(prices string) func(*Options, *drop.Config) {
				set := reading(t, c.mapping+prices)
				return func(opt *Options, cfg *drop.Config) {
					set(opt, cfg)
					opt.RefusedAsXLSX = c.workbook
				}
			}
			begin := func() (r *rig, name, data string) {
				r = newRig(t, with(known))
				r.sweep()
				r.drop(c.name, c.content)
				r.intake()
				r.sendAll()
				r.want("F1", ledger.Sent)
				r.want("F2", ledger.Refused)
				name, copy := r.refusedBook()
				if name == "" || strings.Contains(string(copy), "F1") {
					t.Fatalf("the copy %q: %s", name, copy)
				}
				return r, name, string(copy)
			}
			comes := func(r *rig, name, data string, state ledger.State, posts int) {
				t.Helper()
				r.drop(name, data)
				r.intake()
				r.sendAll()
				r.want("F2", state)
				r.want("F1", ledger.Sent)
				r.posts("F1", 1)
				r.posts("F2", posts)
			}

			r, name, data := begin()
			comes(r, name, data, ledger.Refused, 0)
			found, err := r.Ledger.Find(t.Context(), "F2")
			r.must(err)
			if len(found) != 2 || found[0].Problems[0].Code != "E2208" || found[0].Problems[0].Value != "B" {
				t.Errorf("unedited: %+v", found)
			}
			r.restart(with(mended))
			comes(r, name, data, ledger.Sent, 1)

			r, name, data = begin()
			if c.workbook {
				data = string(edit(t, []byte(data), map[string]any{"E2": "A"}))
			} else {
				was := data
				if data = strings.NewReplacer("\tB", "\tA", ">B<", ">A<", "Clou B", "Clou A", "Clou|B", "Clou|A").Replace(data); data == was {
					t.Fatalf("nothing to edit in %q", data)
				}
			}
			comes(r, name, data, ledger.Sent, 1)
		})
	}
}
