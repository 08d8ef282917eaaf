// Package cii writes an invoice as a UN/CEFACT Cross Industry Invoice or as UBL, in
// the terms of EN 16931, and reads a few facts back from a CII. It knows nothing of the rest
// of the connector, so that the sandbox can use it without sharing the
// client's words.
package cii

import (
	"time"

	"github.com/govalues/decimal"
)

// Document is what a file says. Amounts are exact, in Currency; a nil date is
// none. What the rules of EN 16931 derive (sums, breakdown) must be right here:
// Write computes nothing.
type Document struct {
	Frame     string // BT-23: B1, S1, M1 ...
	Number    string // BT-1
	Type      string // BT-3
	IssueDate time.Time
	DueDate   time.Time // BT-9; zero: none
	Delivered time.Time // BT-72; zero: none
	Currency  string
	Notes     []Note
	Seller    Party
	Buyer     Party
	ShipTo    string // BT-80, a country
	Reference string // BT-10
	Order     string // BT-13
	Lines     []Line
	Taxes     []Tax
	Means     string // BT-81, UNCL 4461; "": none
	IBAN      string
	Preceding []Reference
	Attached  []Attachment
	LineTotal decimal.Decimal // BT-106
	Net       decimal.Decimal // BT-109
	Tax       decimal.Decimal // BT-110
	Gross     decimal.Decimal // BT-112
	Prepaid   decimal.Decimal // BT-113
	Payable   decimal.Decimal // BT-115
}

// Note is a text with its subject: PMT, PMD, AAB ...; "" for any.
type Note struct{ Subject, Text string }

// Party is a seller or a buyer. Endpoint is its electronic address.
type Party struct {
	Name, SIREN, SIRET, VATID, Email string
	Street, ZIP, City, Country       string
	Endpoint, EndpointScheme         string
}

// Line is an invoice line; Price is never negative in a valid file.
type Line struct {
	Name     string
	Item     string // BT-155
	Quantity decimal.Decimal
	Unit     string
	Price    decimal.Decimal
	Net      decimal.Decimal
	Category string // S Z E AE K G O
	Rate     decimal.Decimal
}

// Tax is the VAT of one category and rate, with the reason of an exemption.
type Tax struct {
	Category     string
	Rate         decimal.Decimal
	Taxable, Tax decimal.Decimal
	Reason, Code string // BT-120, BT-121
}

// Reference names a preceding invoice.
type Reference struct {
	Number string
	Date   time.Time
}

// Attachment is a supporting document.
type Attachment struct {
	ID, Filename, MIME, Description string
	Content                         []byte
}
