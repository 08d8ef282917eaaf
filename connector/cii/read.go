package cii

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrOther is wrapped by the error about XML that is no Cross Industry Invoice.
var ErrOther = errors.New("not a Cross Industry Invoice")

// maxFile bounds what Read takes: attachments are inside.
const maxFile = 128 << 20

// Facts are what a reader compares with other data about the same invoice, as
// they are written; "" where the file does not say.
type Facts struct {
	Number, Type, Currency          string
	IssueDate, DueDate              string // yyyy-mm-dd
	SellerName, SellerID, SellerVAT string // the id is the SIREN, else the SIRET
	BuyerName, BuyerID, BuyerVAT    string
	Net, Tax, Gross, Payable        string
	IBAN                            string
}

// file mirrors the paths that facts are at. Prefixes do not matter.
type file struct {
	XMLName xml.Name
	ID      string `xml:"ExchangedDocument>ID"`
	Type    string `xml:"ExchangedDocument>TypeCode"`
	Issued  string `xml:"ExchangedDocument>IssueDateTime>DateTimeString"`
	Trade   struct {
		Agreement struct {
			Seller party `xml:"SellerTradeParty"`
			Buyer  party `xml:"BuyerTradeParty"`
		} `xml:"ApplicableHeaderTradeAgreement"`
		Settlement struct {
			Currency string   `xml:"InvoiceCurrencyCode"`
			IBAN     []string `xml:"SpecifiedTradeSettlementPaymentMeans>PayeePartyCreditorFinancialAccount>IBANID"`
			Due      []string `xml:"SpecifiedTradePaymentTerms>DueDateDateTime>DateTimeString"`
			Sums     struct {
				Net string `xml:"TaxBasisTotalAmount"`
				Tax []struct {
					Currency string `xml:"currencyID,attr"`
					Amount   string `xml:",chardata"`
				} `xml:"TaxTotalAmount"`
				Gross   string `xml:"GrandTotalAmount"`
				Payable string `xml:"DuePayableAmount"`
			} `xml:"SpecifiedTradeSettlementHeaderMonetarySummation"`
		} `xml:"ApplicableHeaderTradeSettlement"`
	} `xml:"SupplyChainTradeTransaction"`
}

type party struct {
	Name  string `xml:"Name"`
	SIRET []struct {
		Scheme string `xml:"schemeID,attr"`
		ID     string `xml:",chardata"`
	} `xml:"GlobalID"`
	SIREN string `xml:"SpecifiedLegalOrganization>ID"`
	Taxes []struct {
		Scheme string `xml:"schemeID,attr"`
		ID     string `xml:",chardata"`
	} `xml:"SpecifiedTaxRegistration>ID"`
}

// Read reads the facts of a file. The error wraps ErrOther for other XML.
func Read(r io.Reader) (Facts, error) {
	var f file
	if err := xml.NewDecoder(io.LimitReader(r, maxFile)).Decode(&f); err != nil {
		return Facts{}, fmt.Errorf("read CII: %w", err)
	}
	if f.XMLName.Local != "CrossIndustryInvoice" {
		return Facts{}, fmt.Errorf("read CII: %w: its root is %s", ErrOther, f.XMLName.Local)
	}
	s := f.Trade.Settlement
	facts := Facts{
		Number: clean(f.ID), Type: clean(f.Type), Currency: clean(s.Currency), IssueDate: day(f.Issued),
		SellerName: clean(f.Trade.Agreement.Seller.Name), BuyerName: clean(f.Trade.Agreement.Buyer.Name),
		Net: clean(s.Sums.Net), Gross: clean(s.Sums.Gross), Payable: clean(s.Sums.Payable),
	}
	facts.SellerID, facts.SellerVAT = f.Trade.Agreement.Seller.ids()
	facts.BuyerID, facts.BuyerVAT = f.Trade.Agreement.Buyer.ids()
	if len(s.IBAN) > 0 {
		facts.IBAN = clean(s.IBAN[0])
	}
	if len(s.Due) > 0 {
		facts.DueDate = day(s.Due[0])
	}
	for _, t := range s.Sums.Tax {
		// A second total is in the seller's own currency.
		if facts.Tax == "" || clean(t.Currency) == facts.Currency {
			facts.Tax = clean(t.Amount)
		}
	}
	return facts, nil
}

func (p party) ids() (id, vat string) {
	id = clean(p.SIREN)
	for _, g := range p.SIRET {
		if id == "" && g.Scheme == "0009" {
			id = clean(g.ID)
		}
	}
	for _, t := range p.Taxes {
		if t.Scheme == "VA" {
			vat = clean(t.ID)
		}
	}
	return id, vat
}

func clean(s string) string { return strings.TrimSpace(s) }

// day turns format 102 into yyyy-mm-dd and leaves anything else as it is.
func day(s string) string {
	s = clean(s)
	if len(s) == 8 {
		return s[:4] + "-" + s[4:6] + "-" + s[6:]
	}
	return s
}
