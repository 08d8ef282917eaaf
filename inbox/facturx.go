package inbox

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"einvoice/connector"
	"einvoice/connector/cii"
	"einvoice/connector/problem"
)

const (
	embeddedMost = 16 << 20 // bytes of one stream of a PDF, unpacked
	unpackedMost = 64 << 20 // of all that is looked at: a small file may unpack to anything
)

// embedded finds the Cross Industry Invoice inside a PDF. It looks at the
// streams one after the other and needs no table of contents, so that a damaged
// or odd file costs an answer at most. nil: there is none, or it is encrypted.
func embedded(pdf []byte) []byte {
	left := int64(unpackedMost)
	for {
		at := bytes.Index(pdf, []byte("stream"))
		if at < 0 || left <= 0 {
			return nil
		}
		pdf = pdf[at+len("stream"):]
		body := bytes.TrimPrefix(bytes.TrimPrefix(pdf, []byte("\r")), []byte("\n"))
		if len(body) == len(pdf) {
			continue // the word itself, or the end of a stream
		}
		content := body
		if z, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
			// What follows the stream, or is cut, is an error after the content.
			content, _ = io.ReadAll(io.LimitReader(z, min(left, embeddedMost)))
			left -= int64(len(content))
		} else if end := bytes.Index(body, []byte("endstream")); end >= 0 {
			content = body[:end]
		}
		if bytes.Contains(content[:min(len(content), 4<<10)], []byte("CrossIndustryInvoice")) {
			return content
		}
	}
}

// compare holds the data of an invoice against those inside its PDF: what is
// read and what is booked must be one invoice.
func compare(inv *connector.Invoice) (list []problem.Problem) {
	for _, a := range inv.Attached {
		if kind(a.Content, a.Filename) != ".pdf" {
			continue
		}
		xml := embedded(a.Content)
		if xml == nil {
			continue
		}
		facts, err := cii.Read(bytes.NewReader(xml))
		if errors.Is(err, cii.ErrOther) {
			continue
		}
		if err != nil {
			return append(list, disagree(inv, "xml", "", safeName(a.Filename, nameMost)))
		}
		return append(list, differences(inv, facts)...)
	}
	return nil
}

func differences(inv *connector.Invoice, f cii.Facts) (list []problem.Problem) {
	text := func(field, data, pdf string) {
		if data != "" && pdf != "" && squeezed(data) != squeezed(pdf) {
			list = append(list, disagree(inv, field, data, pdf))
		}
	}
	amount := func(field string, data connector.Amount, pdf string) {
		stated, err := connector.ParseAmount(pdf)
		if pdf == "" || !data.Present() || err == nil && !differ(stated, data.Or0()) {
			return
		}
		list = append(list, disagree(inv, field, data.String(), pdf))
	}
	text("document_number", inv.Number, f.Number)
	text("issue_date", string(inv.IssueDate), f.IssueDate)
	text("currency", inv.Currency, f.Currency)
	text("sender.fiscal_id", inv.Seller.SIREN(), siren(f.SellerID))
	text("recipient.fiscal_id", inv.Buyer.SIREN(), siren(f.BuyerID))
	text("payment.financial_account", inv.IBAN, f.IBAN)
	amount("totals.total_amount_excluding_tax", inv.Totals.Net, f.Net)
	amount("totals.total_tax_amount", inv.Totals.Tax, f.Tax)
	amount("totals.total_amount_including_tax", inv.Totals.Gross, f.Gross)
	return list
}

// siren shortens a SIRET; what is neither is no French number and is not compared.
func siren(id string) string {
	return connector.Party{FiscalID: strings.ReplaceAll(id, " ", "")}.SIREN()
}

func disagree(inv *connector.Invoice, field, data, pdf string) problem.Problem {
	return problem.Problem{Code: codePDF, Severity: problem.Hold, Invoice: inv.Number, Field: field, Value: data, Expected: pdf}
}
