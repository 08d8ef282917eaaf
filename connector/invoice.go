package connector

// Invoice is one commercial document: an invoice or a credit note. Names are
// those of EN 16931, with the BT or BG number; the JSON names are those that
// mappings, problems and files use (they follow the API where it has the
// field). Amounts are exact, in Currency.
type Invoice struct {
	Number    string           `json:"document_number"`         // BT-1
	Type      string           `json:"type,omitempty"`          // BT-3, UNCL 1001: 380 invoice, 381 credit note ...
	IssueDate Date             `json:"issue_date"`              // BT-2
	DueDate   Date             `json:"due_date,omitempty"`      // BT-9
	Currency  string           `json:"currency"`                // BT-5, ISO 4217
	Seller    Party            `json:"sender"`                  // BG-4
	Buyer     Party            `json:"recipient"`               // BG-7
	Lines     []Line           `json:"invoice_lines"`           // BG-25, charges and discounts included
	Taxes     []Tax            `json:"tax_subtotals,omitempty"` // BG-23, one per category and rate
	Totals    Totals           `json:"totals"`                  // BG-22
	Payment   `json:"payment"` // BG-16
	Buying    `json:"buying"`  // what the buyer asked to be quoted
	Preceding []Ref            `json:"preceding,omitempty"`   // BG-3, of a credit note or corrective invoice
	Notes     []string         `json:"notes,omitempty"`       // BT-22
	Attached  []Attachment     `json:"attachments,omitempty"` // BG-24

	// ERPKey is the ERP's own key of the document, given back in every file
	// we write; not part of the invoice.
	ERPKey string `json:"erp_key,omitempty"`
}

// Party is a seller or a buyer.
type Party struct {
	Name     string  `json:"name"`                // BT-27, BT-44
	FiscalID string  `json:"fiscal_id,omitempty"` // SIREN (9 digits) or SIRET (14): BT-30, BT-47
	VATID    string  `json:"vat_id,omitempty"`    // BT-31, BT-48
	Email    string  `json:"email,omitempty"`     // BT-43, BT-58
	Address  Address `json:"address,omitzero"`    // BG-5, BG-8
}

// SIREN is the first nine digits of the party's SIREN or SIRET, "" if it has none.
func (p Party) SIREN() string {
	if len(p.FiscalID) != 9 && len(p.FiscalID) != 14 {
		return ""
	}
	return p.FiscalID[:9]
}

// Luhn verifies the check digit of ISO/IEC 7812, which SIREN and SIRET have, over a
// text of digits.
func Luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// Address is a postal address.
type Address struct {
	Street  string `json:"street_address,omitempty"` // BT-35, BT-50
	ZIP     string `json:"zip_code,omitempty"`       // BT-38, BT-53
	City    string `json:"city,omitempty"`           // BT-37, BT-52
	Country string `json:"country,omitempty"`        // BT-40, BT-55, ISO 3166-1 alpha-2
}

// Line is one invoice line. A document charge or discount is a line as well,
// since the API has no other way to carry it.
type Line struct {
	Description string `json:"description"`                // BT-153
	Item        string `json:"item_code,omitempty"`        // BT-155
	Quantity    Amount `json:"quantity"`                   // BT-129
	Unit        string `json:"unit_of_measure,omitempty"`  // BT-130, UN/ECE Rec 20
	UnitPrice   Amount `json:"unit_price"`                 // BT-146, before VAT
	Net         Amount `json:"total_net_amount,omitzero"`  // BT-131
	Category    string `json:"tax_category,omitempty"`     // BT-151: S Z E AE K G O
	Rate        Amount `json:"tax_rate,omitzero"`          // BT-152, percent
	Exemption   string `json:"exemption_reason,omitempty"` // BT-120
}

// Tax is the VAT of one category and rate.
type Tax struct {
	Category string `json:"tax_category,omitempty"` // BT-118
	Rate     Amount `json:"vat_rate"`               // BT-119, percent
	Taxable  Amount `json:"taxable_amount"`         // BT-116
	Tax      Amount `json:"tax_amount"`             // BT-117
}

// Totals are the document's totals. What a mapping read from the export is
// kept as read; Complete fills in only what is absent.
type Totals struct {
	Net     Amount `json:"total_amount_excluding_tax,omitzero"` // BT-109
	Tax     Amount `json:"total_tax_amount,omitzero"`           // BT-110
	Gross   Amount `json:"total_amount_including_tax,omitzero"` // BT-112
	Prepaid Amount `json:"prepaid_amount,omitzero"`             // BT-113
	Rounded Amount `json:"rounding_amount,omitzero"`            // BT-114, of the payable amount
	Payable Amount `json:"total_payable_amount,omitzero"`       // BT-115
}

// Payment says how the invoice is to be paid.
type Payment struct {
	Means   string `json:"payment_mode,omitempty"`      // BT-81, the API's word or a UNCL 4461 code
	IBAN    string `json:"financial_account,omitempty"` // BT-84
	BIC     string `json:"bic,omitempty"`               // BT-86
	Terms   string `json:"payment_terms,omitempty"`     // BT-20
	Frame   string `json:"billing_frame,omitempty"`     // BT-23: B1, S1, M1 ...
	Deliver Date   `json:"delivery_date,omitempty"`     // BT-72
}

// Buying is what the buyer asked to be quoted, mandatory for many public buyers.
type Buying struct {
	ServiceCode      string `json:"chorus_pro_service_code,omitempty"` // BT-10 or BT-46 scheme 0224
	CommitmentNumber string `json:"commitment_number,omitempty"`       // BT-13
	PublicBuyer      bool   `json:"recipient_public,omitempty"`        // not a term: routes to Chorus Pro
}

// Ref names a preceding invoice.
type Ref struct {
	Number string `json:"number"`         // BT-25
	Date   Date   `json:"date,omitempty"` // BT-26
}

// Attachment is a supporting document; Content is base64 in JSON.
type Attachment struct {
	Filename    string `json:"filename"`              // BT-125
	MIME        string `json:"mime_type"`             // BT-125
	Description string `json:"description,omitempty"` // BT-123
	ID          string `json:"document_id,omitempty"` // BT-122
	Content     []byte `json:"document,omitempty"`    // BT-125
	SHA256      string `json:"sha256,omitempty"`      // of content that is kept in a blob store instead
}

// IsCredit tells whether the type is one of the credit notes of UNCL 1001.
func (inv *Invoice) IsCredit() bool {
	switch inv.Type {
	case "381", "261", "262", "396", "502", "503":
		return true
	}
	return false
}
