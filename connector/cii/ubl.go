package cii

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"
)

// WriteUBL writes the file as UBL 2.1, an Invoice or a CreditNote, in the order
// of elements that the schemas demand. Attachments are left out.
func WriteUBL(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(xml.Header)
	u := ubl{d, "Invoice"}
	if d.credit() {
		u.kind = "CreditNote"
	}
	root := u.root()
	root.attrs = []string{
		"xmlns", "urn:oasis:names:specification:ubl:schema:xsd:" + u.kind + "-2",
		"xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
		"xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
	}
	root.write(out, 0)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write UBL of %s: %w", d.Number, err)
	}
	return nil
}

// credit tells the types of UNCL 1001 that UBL writes as a CreditNote.
func (d Document) credit() bool {
	switch d.Type {
	case "381", "261", "262", "396", "502", "503":
		return true
	}
	return false
}

// ubl is a document with the word that UBL puts into names: Invoice or CreditNote.
type ubl struct {
	Document
	kind string
}

func (u ubl) money(name, value string) node { return leaf(name, value, "currencyID", u.Currency) }

func day8(name string, t time.Time) node {
	if t.IsZero() {
		return node{}
	}
	return leaf(name, t.Format(time.DateOnly))
}

func (u ubl) root() node {
	kids := []node{leaf("cbc:CustomizationID", guideline), leaf("cbc:ProfileID", u.Frame), leaf("cbc:ID", u.Number), day8("cbc:IssueDate", u.IssueDate)}
	if u.kind == "Invoice" { // a CreditNote has its due date with the payment means
		kids = append(kids, day8("cbc:DueDate", u.DueDate))
	}
	kids = append(kids, leaf("cbc:"+u.kind+"TypeCode", u.Type))
	for _, n := range u.Notes {
		text := n.Text
		if n.Subject != "" && text != "" {
			text = "#" + n.Subject + "#" + text
		}
		kids = append(kids, leaf("cbc:Note", text))
	}
	kids = append(kids, leaf("cbc:DocumentCurrencyCode", u.Currency), leaf("cbc:BuyerReference", u.Reference),
		group("cac:OrderReference", leaf("cbc:ID", u.Order)))
	for _, r := range u.Preceding {
		kids = append(kids, group("cac:BillingReference",
			group("cac:InvoiceDocumentReference", leaf("cbc:ID", r.Number), day8("cbc:IssueDate", r.Date))))
	}
	kids = append(kids,
		group("cac:AccountingSupplierParty", u.Seller.ubl()), group("cac:AccountingCustomerParty", u.Buyer.ubl()),
		group("cac:Delivery", day8("cbc:ActualDeliveryDate", u.Delivered),
			group("cac:DeliveryLocation", group("cac:Address", country(u.ShipTo)))),
		u.means(), u.taxes(), u.totals())
	for i, l := range u.Lines {
		kids = append(kids, u.line(i+1, l))
	}
	return group(u.kind, kids...)
}

func country(code string) node {
	return group("cac:Country", leaf("cbc:IdentificationCode", code))
}

func (p Party) ubl() node {
	return group("cac:Party",
		leaf("cbc:EndpointID", p.Endpoint, "schemeID", p.EndpointScheme),
		group("cac:PartyIdentification", leaf("cbc:ID", p.SIRET, "schemeID", "0009")),
		group("cac:PostalAddress", leaf("cbc:StreetName", p.Street), leaf("cbc:CityName", p.City), leaf("cbc:PostalZone", p.ZIP), country(p.Country)),
		group("cac:PartyTaxScheme", leaf("cbc:CompanyID", p.VATID), vat(p.VATID)),
		group("cac:PartyLegalEntity", leaf("cbc:RegistrationName", p.Name), leaf("cbc:CompanyID", p.SIREN, "schemeID", "0002")),
		group("cac:Contact", leaf("cbc:ElectronicMail", p.Email)))
}

// vat is the tax scheme that stands beside what it is about.
func vat(about string) node {
	if about == "" {
		return node{}
	}
	return group("cac:TaxScheme", leaf("cbc:ID", "VAT"))
}

func (u ubl) means() node {
	due := node{}
	if u.kind == "CreditNote" && u.Means != "" {
		due = day8("cbc:PaymentDueDate", u.DueDate)
	}
	return group("cac:PaymentMeans", leaf("cbc:PaymentMeansCode", u.Means), due,
		group("cac:PayeeFinancialAccount", leaf("cbc:ID", u.IBAN)))
}

func (u ubl) taxes() node {
	kids := []node{u.money("cbc:TaxAmount", amount(u.Tax))}
	for _, t := range u.Taxes {
		kids = append(kids, group("cac:TaxSubtotal", u.money("cbc:TaxableAmount", amount(t.Taxable)), u.money("cbc:TaxAmount", amount(t.Tax)),
			group("cac:TaxCategory", leaf("cbc:ID", t.Category), percent(rate(t.Category, t.Rate)),
				leaf("cbc:TaxExemptionReasonCode", t.Code), leaf("cbc:TaxExemptionReason", t.Reason), vat("VAT"))))
	}
	return group("cac:TaxTotal", kids...)
}

// percent is a rate of CII under its name in UBL.
func percent(rate node) node { return leaf("cbc:Percent", rate.text) }

func (u ubl) totals() node {
	prepaid := node{}
	if !u.Prepaid.IsZero() {
		prepaid = u.money("cbc:PrepaidAmount", amount(u.Prepaid))
	}
	return group("cac:LegalMonetaryTotal", u.money("cbc:LineExtensionAmount", amount(u.LineTotal)), u.money("cbc:TaxExclusiveAmount", amount(u.Net)),
		u.money("cbc:TaxInclusiveAmount", amount(u.Gross)), prepaid, u.money("cbc:PayableAmount", amount(u.Payable)))
}

func (u ubl) line(id int, l Line) node {
	quantity := "cbc:InvoicedQuantity"
	if u.kind == "CreditNote" {
		quantity = "cbc:CreditedQuantity"
	}
	return group("cac:"+u.kind+"Line", leaf("cbc:ID", strconv.Itoa(id)),
		leaf(quantity, plain(l.Quantity), "unitCode", l.Unit), u.money("cbc:LineExtensionAmount", amount(l.Net)),
		group("cac:Item", leaf("cbc:Name", l.Name), group("cac:SellersItemIdentification", leaf("cbc:ID", l.Item)),
			group("cac:ClassifiedTaxCategory", leaf("cbc:ID", l.Category), percent(rate(l.Category, l.Rate)), vat("VAT"))),
		group("cac:Price", u.money("cbc:PriceAmount", plain(l.Price))))
}
