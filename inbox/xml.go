package inbox

import (
	"bytes"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/cii"
)

const (
	xmlNone = ""
	xmlCII  = "cii"
	xmlUBL  = "ubl"

	fileXML = "invoice.xml"
)

// copyXML is the invoice's data again as XML of EN 16931, in the syntax of the
// settings: for software that imports nothing else. Nothing is computed that the
// platform did not state, but sums of lines; attachments stand beside it.
func (in *Inbox) copyXML(inv connector.Invoice) ([]byte, error) {
	var b bytes.Buffer
	write := cii.Write
	if in.cfg.XML == xmlUBL {
		write = cii.WriteUBL
	}
	err := write(&b, document(inv))
	return b.Bytes(), err
}

func document(inv connector.Invoice) cii.Document {
	d := cii.Document{
		Frame: inv.Frame, Number: inv.Number, Type: or(inv.Type, "380"), IssueDate: dayOf(inv.IssueDate), DueDate: dayOf(inv.DueDate),
		Delivered: dayOf(inv.Deliver), Currency: inv.Currency, Seller: ciiParty(inv.Seller), Buyer: ciiParty(inv.Buyer),
		Reference: inv.ServiceCode, Order: inv.CommitmentNumber, Means: meansCode(inv.Means), IBAN: inv.IBAN,
		Net: inv.Totals.Net.Or0(), Tax: inv.Totals.Tax.Or0(), Gross: inv.Totals.Gross.Or0(), Prepaid: inv.Totals.Prepaid.Or0(),
		Payable: inv.Totals.AmountDue().Or0(), LineTotal: inv.Totals.Net.Or0(),
	}
	for _, text := range inv.Notes {
		d.Notes = append(d.Notes, cii.Note{Text: text})
	}
	for _, l := range inv.Lines {
		d.Lines = append(d.Lines, ciiLine(l))
	}
	if total, whole := sum(inv.Lines, func(l connector.Line) connector.Amount { return l.Net }); whole {
		d.LineTotal = total
	}
	for _, t := range inv.Taxes {
		d.Taxes = append(d.Taxes, cii.Tax{Category: category(t.Category, t.Rate), Rate: t.Rate.Or0(), Taxable: t.Taxable.Or0(), Tax: t.Tax.Or0(),
			Reason: exemption(inv.Lines, t.Category)})
	}
	for _, p := range inv.Preceding {
		d.Preceding = append(d.Preceding, cii.Reference{Number: p.Number, Date: dayOf(p.Date)})
	}
	return d
}

func dayOf(d connector.Date) time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // zero: none
	return t
}

func ciiParty(p connector.Party) cii.Party {
	out := cii.Party{Name: p.Name, SIREN: p.SIREN(), VATID: p.VATID, Email: p.Email,
		Street: p.Address.Street, ZIP: p.Address.ZIP, City: p.Address.City, Country: p.Address.Country}
	if len(p.FiscalID) == 14 {
		out.SIRET = p.FiscalID
	}
	if out.SIREN != "" {
		out.Endpoint, out.EndpointScheme = out.SIREN, "0225"
	}
	return out
}

// ciiLine keeps prices positive, as both syntaxes demand: the sign goes to the
// quantity.
func ciiLine(l connector.Line) cii.Line {
	out := cii.Line{Name: l.Description, Item: l.Item, Quantity: l.Quantity.Or0(), Unit: or(l.Unit, "C62"), Price: l.UnitPrice.Or0(),
		Net: l.Net.Or0(), Category: category(l.Category, l.Rate), Rate: l.Rate.Or0()}
	if !l.Quantity.Present() {
		out.Quantity = decimal.One
	}
	if out.Price.IsNeg() {
		out.Price, out.Quantity = out.Price.Neg(), out.Quantity.Neg()
	}
	return out
}

// category is the one stated, else what a rate means by itself.
func category(stated string, rate connector.Amount) string {
	switch {
	case stated != "":
		return stated
	case rate.Present() && !rate.Or0().IsZero():
		return "S"
	}
	return "Z"
}

func exemption(lines []connector.Line, category string) string {
	for _, l := range lines {
		if l.Category == category && l.Exemption != "" {
			return l.Exemption
		}
	}
	return ""
}

// meansCode is the API's word as a code of UNCL 4461; 1 is "not defined".
func meansCode(means string) string {
	switch {
	case means == "sepa_credit_transfer":
		return "58"
	case len(means) <= 3:
		return means
	}
	return "1"
}
