package cii

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
)

func dec(s string) decimal.Decimal { return decimal.MustParse(s) }

func sample() Document {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	return Document{
		Frame: "B1", Number: "FA<1>", Type: "381", IssueDate: day, DueDate: day.AddDate(0, 1, 0), Delivered: day, Currency: "EUR",
		Notes:  []Note{{"PMT", "40 € & plus"}, {"PMD", " "}},
		Seller: Party{Name: "Atelier \x01Témoin", SIREN: "100000009", SIRET: "10000000900017", VATID: "FR88100000009", Country: "FR", Endpoint: "100000009", EndpointScheme: "0225"},
		Buyer:  Party{Name: "Exemple", SIRET: "20000000800017", Country: "BE", Email: "a@exemple.test"},
		ShipTo: "BE", Reference: "SERV-1", Order: "ENG-2",
		Lines: []Line{
			{Name: "Réglage", Quantity: dec("2"), Unit: "C62", Price: dec("25.5"), Net: dec("51"), Category: "S", Rate: dec("5.5")},
			{Name: "Hors champ", Quantity: dec("-1"), Unit: "C62", Price: dec("3.123456"), Net: dec("-3.12"), Category: "O"},
		},
		Taxes: []Tax{{Category: "S", Rate: dec("5.5"), Taxable: dec("51"), Tax: dec("2.81")},
			{Category: "O", Taxable: dec("-3.12"), Reason: "Hors champ", Code: "VATEX-EU-O"}},
		Means: "58", IBAN: "FR7630001007941234567890185", Preceding: []Reference{{"FA-0", day}},
		Attached:  []Attachment{{ID: "1", Filename: "a.pdf", MIME: "application/pdf", Description: "RIB", Content: []byte("x")}},
		LineTotal: dec("47.88"), Net: dec("47.88"), Tax: dec("2.81"), Gross: dec("50.69"), Payable: dec("50.69"),
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	want := Facts{Number: "FA<1>", Type: "381", Currency: "EUR", IssueDate: "2026-11-20", DueDate: "2026-12-20",
		SellerName: "Atelier Témoin", SellerID: "100000009", SellerVAT: "FR88100000009", BuyerName: "Exemple", BuyerID: "20000000800017",
		Net: "47.88", Tax: "2.81", Gross: "50.69", Payable: "50.69", IBAN: "FR7630001007941234567890185"}
	if err != nil || got != want {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	if _, err := Read(strings.NewReader("<Invoice/>")); !errors.Is(err, ErrOther) {
		t.Errorf("UBL: %v", err)
	}
	if _, err := Read(strings.NewReader("<a><b>")); err == nil {
		t.Error("half of a file was read")
	}
}

// TestElementsStandInTheOrderOfTheSchema: a reader with the schema at hand
// refuses any other order.
func TestElementsStandInTheOrderOfTheSchema(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	orders := [][]string{
		{"ExchangedDocumentContext", "ExchangedDocument", "SupplyChainTradeTransaction"},
		{"IncludedSupplyChainTradeLineItem", "ApplicableHeaderTradeAgreement", "ApplicableHeaderTradeDelivery", "ApplicableHeaderTradeSettlement"},
		{"BuyerReference", "SellerTradeParty", "BuyerTradeParty", "BuyerOrderReferencedDocument", "AdditionalReferencedDocument"},
		{"GlobalID", "Name", "SpecifiedLegalOrganization", "DefinedTradeContact", "PostalTradeAddress", "URIUniversalCommunication", "SpecifiedTaxRegistration"},
		{"InvoiceCurrencyCode", "SpecifiedTradeSettlementPaymentMeans", "ApplicableTradeTax", "SpecifiedTradePaymentTerms", "SpecifiedTradeSettlementHeaderMonetarySummation", "InvoiceReferencedDocument"},
		{"CalculatedAmount", "TypeCode", "ExemptionReason", "BasisAmount", "CategoryCode", "ExemptionReasonCode", "RateApplicablePercent"},
		{"LineTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "TotalPrepaidAmount", "DuePayableAmount"},
	}
	kids := children(t, b.Bytes())
	for _, order := range orders {
		for _, names := range kids {
			last := -1
			for _, n := range names {
				at := slices.Index(order, n)
				if at >= 0 && at < last && slices.Contains(names, order[len(order)-1]) {
					t.Errorf("%s stands after %s in %v", n, order[last], names)
				}
				last = max(last, at)
			}
		}
	}
	if strings.Contains(b.String(), "></") {
		t.Error("an empty element was written")
	}
}

// children lists the names below each element.
func children(t *testing.T, data []byte) [][]string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	var lists [][]string
	stack := [][]string{nil}
	for {
		token, err := d.Token()
		if token == nil {
			return lists
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			stack[len(stack)-1] = append(stack[len(stack)-1], e.Name.Local)
			stack = append(stack, nil)
		case xml.EndElement:
			lists = append(lists, stack[len(stack)-1])
			stack = stack[:len(stack)-1]
		}
	}
}
