package mappers

import (
	"bytes"
	"fmt"
)

// ublExport is a batch of UBL invoices as an ERP writes them: namespaces,
// parties, tax breakdown, one to five lines, indented.
func ublExport(n int) []byte {
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Batch xmlns="urn:batch" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">` + "\n")
	party := func(kind, name, siret string) {
		fmt.Fprintf(&out, `  <cac:Accounting%sParty>
    <cac:Party>
      <cac:PartyIdentification>
        <cbc:ID schemeID="0009">%s</cbc:ID>
      </cac:PartyIdentification>
      <cac:PostalAddress>
        <cbc:StreetName>12, rue de la Libération</cbc:StreetName>
        <cbc:CityName>Saint-Étienne</cbc:CityName>
        <cbc:PostalZone>42000</cbc:PostalZone>
        <cac:Country>
          <cbc:IdentificationCode>FR</cbc:IdentificationCode>
        </cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>FR44732829320</cbc:CompanyID>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>%s</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0002">732829320</cbc:CompanyID>
      </cac:PartyLegalEntity>
    </cac:Party>
  </cac:Accounting%sParty>
`, kind, siret, name, kind)
	}
	for i := range n {
		lines := i%5 + 1
		fmt.Fprintf(&out, ` <Invoice>
  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
  <cbc:ProfileID>B1</cbc:ProfileID>
  <cbc:ID>FA%07d</cbc:ID>
  <cbc:IssueDate>2026-01-15</cbc:IssueDate>
  <cbc:DueDate>2026-02-14</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:Note>#PMT#Indemnité forfaitaire pour frais de recouvrement : 40 euros</cbc:Note>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:OrderReference>
    <cbc:ID>CMD-%05d</cbc:ID>
  </cac:OrderReference>
`, i, i)
		party("Supplier", "Vis &amp; Boulons SA", "73282932000074")
		party("Customer", fmt.Sprintf("Société de charpente n° %d", i%700), "10000000900017")
		fmt.Fprintf(&out, `  <cac:PaymentMeans>
    <cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>
    <cac:PayeeFinancialAccount>
      <cbc:ID>FR7630006000011234567890189</cbc:ID>
    </cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="EUR">%d.00</cbc:TaxAmount>
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="EUR">%d.00</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="EUR">%d.00</cbc:TaxAmount>
      <cac:TaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>20</cbc:Percent>
      </cac:TaxCategory>
    </cac:TaxSubtotal>
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:TaxExclusiveAmount currencyID="EUR">%d.00</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">%d.00</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="EUR">%d.00</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
`, 10*lines, 50*lines, 10*lines, 50*lines, 60*lines, 60*lines)
		for j := range lines {
			fmt.Fprintf(&out, `  <cac:InvoiceLine>
    <cbc:ID>%d</cbc:ID>
    <cbc:InvoicedQuantity unitCode="C62">4</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount currencyID="EUR">50.00</cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>Vis à bois tête fraisée 5x%d</cbc:Name>
      <cac:SellersItemIdentification>
        <cbc:ID>ART%06d</cbc:ID>
      </cac:SellersItemIdentification>
      <cac:ClassifiedTaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>20</cbc:Percent>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price>
      <cbc:PriceAmount currencyID="EUR">12.50</cbc:PriceAmount>
    </cac:Price>
  </cac:InvoiceLine>
`, j+1, 40+j, i*7%400000)
		}
		out.WriteString(" </Invoice>\n")
	}
	out.WriteString("</Batch>\n")
	return out.Bytes()
}
