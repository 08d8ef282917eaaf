package cii

import (
	"bufio"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/govalues/decimal"
)

// guideline is BT-24, what a file of Write claims to follow.
const guideline = "urn:cen.eu:en16931:2017"

// Write writes the file in the order of elements that the schema demands.
func Write(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(xml.Header)
	root := group("rsm:CrossIndustryInvoice", d.context(), d.header(), d.transaction())
	root.attrs = []string{
		"xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
		"xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
		"xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
		"xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
	}
	root.write(out, 0)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write CII of %s: %w", d.Number, err)
	}
	return nil
}

// node is an element. One with neither text nor children is not written: the
// rules refuse empty elements.
type node struct {
	name  string
	attrs []string // name, value, name, value ...
	text  string
	kids  []node
}

func leaf(name, text string, attrs ...string) node {
	return node{name: name, text: strings.TrimSpace(printable(text)), attrs: attrs}
}

// printable drops what XML cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func group(name string, kids ...node) node {
	n := node{name: name}
	for _, k := range kids {
		if k.text != "" || len(k.kids) > 0 {
			n.kids = append(n.kids, k)
		}
	}
	return n
}

func (n node) write(w *bufio.Writer, depth int) {
	indent := strings.Repeat("  ", depth)
	_, _ = w.WriteString(indent + "<" + n.name)
	for i := 0; i+1 < len(n.attrs); i += 2 {
		_, _ = w.WriteString(" " + n.attrs[i] + `="`)
		_ = xml.EscapeText(w, []byte(n.attrs[i+1]))
		_, _ = w.WriteString(`"`)
	}
	_, _ = w.WriteString(">")
	_ = xml.EscapeText(w, []byte(n.text))
	if len(n.kids) > 0 {
		_, _ = w.WriteString("\n")
		for _, k := range n.kids {
			k.write(w, depth+1)
		}
		_, _ = w.WriteString(indent)
	}
	_, _ = w.WriteString("</" + n.name + ">\n")
}

func (d Document) context() node {
	return group("rsm:ExchangedDocumentContext",
		group("ram:BusinessProcessSpecifiedDocumentContextParameter", leaf("ram:ID", d.Frame)),
		group("ram:GuidelineSpecifiedDocumentContextParameter", leaf("ram:ID", guideline)))
}

func (d Document) header() node {
	kids := []node{leaf("ram:ID", d.Number), leaf("ram:TypeCode", d.Type), date("ram:IssueDateTime", "udt", d.IssueDate)}
	for _, n := range d.Notes {
		if strings.TrimSpace(n.Text) != "" {
			kids = append(kids, group("ram:IncludedNote", leaf("ram:Content", n.Text), leaf("ram:SubjectCode", n.Subject)))
		}
	}
	return group("rsm:ExchangedDocument", kids...)
}

func (d Document) transaction() node {
	kids := make([]node, 0, len(d.Lines)+3)
	for i, l := range d.Lines {
		kids = append(kids, l.node(i+1))
	}
	delivery := group("ram:ApplicableHeaderTradeDelivery",
		group("ram:ShipToTradeParty", group("ram:PostalTradeAddress", leaf("ram:CountryID", d.ShipTo))),
		group("ram:ActualDeliverySupplyChainEvent", date("ram:OccurrenceDateTime", "udt", d.Delivered)))
	n := group("rsm:SupplyChainTradeTransaction", append(kids, d.agreement())...)
	n.kids = append(n.kids, delivery, d.settlement()) // the schema wants the delivery even when it says nothing
	return n
}

func (l Line) node(id int) node {
	return group("ram:IncludedSupplyChainTradeLineItem",
		group("ram:AssociatedDocumentLineDocument", leaf("ram:LineID", strconv.Itoa(id))),
		group("ram:SpecifiedTradeProduct", leaf("ram:SellerAssignedID", l.Item), leaf("ram:Name", l.Name)),
		group("ram:SpecifiedLineTradeAgreement",
			group("ram:NetPriceProductTradePrice", leaf("ram:ChargeAmount", plain(l.Price)))),
		group("ram:SpecifiedLineTradeDelivery", leaf("ram:BilledQuantity", plain(l.Quantity), "unitCode", l.Unit)),
		group("ram:SpecifiedLineTradeSettlement",
			group("ram:ApplicableTradeTax", leaf("ram:TypeCode", "VAT"), leaf("ram:CategoryCode", l.Category), rate(l.Category, l.Rate)),
			group("ram:SpecifiedTradeSettlementLineMonetarySummation", leaf("ram:LineTotalAmount", amount(l.Net)))))
}

func (d Document) agreement() node {
	kids := []node{
		leaf("ram:BuyerReference", d.Reference),
		d.Seller.node("ram:SellerTradeParty"), d.Buyer.node("ram:BuyerTradeParty"),
		group("ram:BuyerOrderReferencedDocument", leaf("ram:IssuerAssignedID", d.Order)),
	}
	for _, a := range d.Attached {
		kids = append(kids, group("ram:AdditionalReferencedDocument",
			leaf("ram:IssuerAssignedID", a.ID), leaf("ram:TypeCode", "916"), leaf("ram:Name", a.Description),
			leaf("ram:AttachmentBinaryObject", base64.StdEncoding.EncodeToString(a.Content), "mimeCode", a.MIME, "filename", a.Filename)))
	}
	return group("ram:ApplicableHeaderTradeAgreement", kids...)
}

func (p Party) node(name string) node {
	return group(name,
		leaf("ram:GlobalID", p.SIRET, "schemeID", "0009"),
		leaf("ram:Name", p.Name),
		group("ram:SpecifiedLegalOrganization", leaf("ram:ID", p.SIREN, "schemeID", "0002")),
		group("ram:DefinedTradeContact", group("ram:EmailURIUniversalCommunication", leaf("ram:URIID", p.Email))),
		group("ram:PostalTradeAddress", leaf("ram:PostcodeCode", p.ZIP), leaf("ram:LineOne", p.Street),
			leaf("ram:CityName", p.City), leaf("ram:CountryID", p.Country)),
		group("ram:URIUniversalCommunication", leaf("ram:URIID", p.Endpoint, "schemeID", p.EndpointScheme)),
		group("ram:SpecifiedTaxRegistration", leaf("ram:ID", p.VATID, "schemeID", "VA")))
}

func (d Document) settlement() node {
	kids := []node{
		leaf("ram:InvoiceCurrencyCode", d.Currency),
		group("ram:SpecifiedTradeSettlementPaymentMeans", leaf("ram:TypeCode", d.Means),
			group("ram:PayeePartyCreditorFinancialAccount", leaf("ram:IBANID", d.IBAN))),
	}
	for _, t := range d.Taxes {
		kids = append(kids, group("ram:ApplicableTradeTax",
			leaf("ram:CalculatedAmount", amount(t.Tax)), leaf("ram:TypeCode", "VAT"), leaf("ram:ExemptionReason", t.Reason),
			leaf("ram:BasisAmount", amount(t.Taxable)), leaf("ram:CategoryCode", t.Category),
			leaf("ram:ExemptionReasonCode", t.Code), rate(t.Category, t.Rate)))
	}
	kids = append(kids, group("ram:SpecifiedTradePaymentTerms", date("ram:DueDateDateTime", "udt", d.DueDate)), d.totals())
	for _, r := range d.Preceding {
		kids = append(kids, group("ram:InvoiceReferencedDocument", leaf("ram:IssuerAssignedID", r.Number),
			date("ram:FormattedIssueDateTime", "qdt", r.Date)))
	}
	return group("ram:ApplicableHeaderTradeSettlement", kids...)
}

func (d Document) totals() node {
	prepaid := node{}
	if !d.Prepaid.IsZero() {
		prepaid = leaf("ram:TotalPrepaidAmount", amount(d.Prepaid))
	}
	return group("ram:SpecifiedTradeSettlementHeaderMonetarySummation",
		leaf("ram:LineTotalAmount", amount(d.LineTotal)), leaf("ram:TaxBasisTotalAmount", amount(d.Net)),
		leaf("ram:TaxTotalAmount", amount(d.Tax), "currencyID", d.Currency),
		leaf("ram:GrandTotalAmount", amount(d.Gross)), prepaid, leaf("ram:DuePayableAmount", amount(d.Payable)))
}

// date is a day in format 102; without one the element is left out.
func date(name, prefix string, day time.Time) node {
	if day.IsZero() {
		return node{}
	}
	return group(name, leaf(prefix+":DateTimeString", day.Format("20060102"), "format", "102"))
}

// rate is left out of category O, as BR-O-05 demands.
func rate(category string, r decimal.Decimal) node {
	if category == "O" {
		return node{}
	}
	return leaf("ram:RateApplicablePercent", r.Trim(2).Pad(2).String())
}

// amount has two decimals, or those of a finer coin.
func amount(d decimal.Decimal) string { return d.Trim(2).Pad(2).String() }

func plain(d decimal.Decimal) string { return d.Trim(0).String() }
