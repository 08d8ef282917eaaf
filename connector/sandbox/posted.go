package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
)

// posted is the body of POST /FR-invoices: what the page shows in its request,
// and what it shows in answers only (unverified).
type posted struct {
	Number     string         `json:"document_number"`
	Type       string         `json:"type"`
	IssueDate  string         `json:"issue_date"`
	Currency   string         `json:"currency"`
	Gross      *number        `json:"total_amount_including_tax"`
	Sender     postedParty    `json:"sender"`
	Recipient  postedParty    `json:"recipient"`
	Lines      []postedLine   `json:"invoice_lines"`
	Subtotals  []subtotal     `json:"tax_subtotals"`
	Payment    []paymentMeans `json:"payment_means"`
	Service    *string        `json:"chorus_pro_service_code"`
	Commitment *string        `json:"commitment_number"`
	Attached   []attachment   `json:"attachments"`
}

type postedParty struct {
	Name     string   `json:"name"`
	FiscalID string   `json:"fiscal_id"`
	VATID    string   `json:"vat_id"`
	Email    string   `json:"email"`
	Address  *address `json:"address"`
}

type postedLine struct {
	Description string  `json:"description"`
	Quantity    *number `json:"quantity"`
	UnitPrice   *number `json:"unit_price"`
	Rate        *number `json:"tax_rate"`
	Net         *number `json:"total_net_amount"`
	Unit        string  `json:"unit_of_measure"`
	Nature      string  `json:"nature"`
	Category    string  `json:"tax_category"`
}

func parse(raw []byte) (posted, error) {
	var p posted
	err := json.Unmarshal(raw, &p)
	return p, err
}

// shape says which keys an object may have; a nil shape is a leaf.
type shape map[string]shape

// verified are the keys of the page's own POST sample.
func verified() shape {
	party := shape{"name": nil, "fiscal_id": nil, "vat_id": nil}
	buyer := shape{"name": nil, "fiscal_id": nil, "email": nil}
	line := shape{"description": nil, "quantity": nil, "unit_price": nil, "tax_rate": nil}
	return shape{
		"document_number": nil, "issue_date": nil, "currency": nil, "total_amount_including_tax": nil,
		"sender": party, "recipient": buyer, "invoice_lines": line,
	}
}

// prune drops from v the keys that sh does not have and names them, sorted.
func prune(v any, sh shape, path string) []string {
	if sh == nil {
		return nil
	}
	var dropped []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			dropped = append(dropped, prune(item, sh, path)...)
		}
	case map[string]any:
		for key, item := range v {
			name := path + key
			if below, known := sh[key]; known {
				dropped = append(dropped, prune(item, below, name+".")...)
				continue
			}
			delete(v, key)
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	return slices.Compact(dropped)
}

// onlyVerified is a body without its unverified keys, and their names.
func onlyVerified(raw []byte) ([]byte, []string, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, nil, err
	}
	dropped := prune(v, verified(), "")
	kept, err := json.Marshal(v)
	return kept, dropped, err
}
