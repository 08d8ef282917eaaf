package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"einvoice/connector"
)

// remoteID is the id of an invoice object under any of the names seen.
func remoteID(o object) string { return o.text("id", "invoice_id", "invoice_uuid", "uuid", "_id") }

// remoteOf reads an invoice as the API shows it. Every field but id and state
// may be missing; what is unknown stays in Raw.
func remoteOf(raw json.RawMessage) connector.Remote {
	o := decodeObject(raw)
	if o == nil {
		return connector.Remote{}
	}
	details := o.object("details")
	return connector.Remote{
		ID:        remoteID(o),
		Direction: directionOf(o.text("direction")),
		Status:    statusOf(o, details),
		Invoice:   invoiceOf(o, details),
		Created:   o.moment("create_at", "created_at", "createdAt", "create_timestamp"),
		Network:   details.text("network"),
		Raw:       bytes.Clone(raw),
	}
}

// receiptOf reads of the answer to a POST what a receipt is: id and status. The
// invoice in it is ours, and reading it again would cost more than sending it.
func receiptOf(raw json.RawMessage, o object) connector.Remote {
	details := o.object("details")
	return connector.Remote{
		ID: remoteID(o), Direction: connector.Outgoing, Status: statusOf(o, details),
		Created: o.moment("create_at", "created_at", "createdAt", "create_timestamp"), Network: details.text("network"), Raw: raw,
	}
}

func statusOf(o, details object) connector.Status {
	s := connector.Status{
		State:    connector.State(strings.ToUpper(o.text("state", "status"))),
		External: firstText(details.text("external_status", "sdi_status"), o.text("external_status")),
		At:       o.moment("updated_at", "update_at", "updatedAt"),
	}
	if s.At.IsZero() {
		s.At = details.moment("status_date", "update_date", "updated_at", "sdi_update_date")
	}
	s.Code = StatusCode(s.External)
	s.ReasonCode, s.Reason = reasonOf(details, o)
	return s
}

func invoiceOf(o, details object) connector.Invoice {
	inv := connector.Invoice{
		Number:    o.text("document_number"),
		Type:      o.text("type"),
		IssueDate: o.date("issue_date"),
		DueDate:   o.date("due_date"),
		Currency:  o.text("currency"),
		Seller:    partyIn(o.object("sender")),
		Buyer:     partyIn(o.object("recipient")),
		Totals: connector.Totals{
			Net:     o.amount("total_amount_excluding_tax", "amount_excluding_tax"),
			Tax:     o.amount("total_tax_amount", "tax_amount"),
			Gross:   o.amount("total_amount_including_tax", "amount_including_tax", "total_gross_amount"),
			Payable: o.amount("total_payable_amount"),
		},
		Buying: connector.Buying{
			ServiceCode:      firstText(o.text("chorus_pro_service_code"), details.text("service_code")),
			CommitmentNumber: firstText(o.text("commitment_number"), details.text("commitment_number")),
		},
	}
	for _, l := range o.objects("invoice_lines") {
		inv.Lines = append(inv.Lines, lineIn(l))
	}
	for _, t := range o.objects("tax_subtotals") {
		inv.Taxes = append(inv.Taxes, connector.Tax{
			Category: categoryCode(t.text("tax_category")), Rate: t.amount("vat_rate", "tax_rate"),
			Taxable: t.amount("taxable_amount"), Tax: t.amount("tax_amount"),
		})
	}
	for _, m := range o.objects("payment_means") {
		inv.Means = firstText(inv.Means, m.text("payment_mode"))
		inv.IBAN = firstText(inv.IBAN, m.text("financial_account"))
		inv.DueDate = connector.Date(firstText(string(inv.DueDate), string(m.date("due_date"))))
	}
	for _, a := range o.objects("attachments") {
		inv.Attached = append(inv.Attached, attachmentIn(a))
	}
	return inv
}

func lineIn(l object) connector.Line {
	return connector.Line{
		Description: l.text("description"), Item: l.text("item_code"),
		Quantity: l.amount("quantity"), Unit: l.text("unit_of_measure"),
		UnitPrice: l.amount("unit_price"), Net: l.amount("total_net_amount"),
		Category: categoryCode(l.text("tax_category")), Rate: l.amount("tax_rate", "vat_rate"),
		Exemption: l.text("exemption_reason"),
	}
}

// partyIn reads the French shape and the flat one of the sister API.
func partyIn(p object) connector.Party {
	a := p.object("address")
	if a == nil {
		a = p
	}
	return connector.Party{
		Name:     p.text("name"),
		FiscalID: compact(p.text("fiscal_id", "siret", "siren")),
		VATID:    p.text("vat_id"),
		Email:    p.text("email"),
		Address: connector.Address{
			Street: a.text("street_address", "street"), ZIP: a.text("zip_code", "zip"),
			City: a.text("city"), Country: a.text("country", "country_code"),
		},
	}
}

// compact takes blanks and dots out of an identifier.
func compact(s string) string { return strings.NewReplacer(" ", "", ".", "", "\u00a0", "").Replace(s) }

// attachmentIn reads inline base64; a document given as a URL has no content
// and is found in Remote.Raw.
func attachmentIn(a object) connector.Attachment {
	return connector.Attachment{
		Filename:    a.text("filename", "fileName", "name"),
		MIME:        a.text("mime_type", "mimeType", "content_type"),
		Description: a.text("description"),
		ID:          a.text("document_id", "id"),
		Content:     base64In(a.text("document", "content", "data")),
	}
}

// base64In reads standard and URL base64, padded or not, wrapped or not, with
// or without "data:...;base64,". Anything else is nothing.
func base64In(s string) []byte {
	if strings.HasPrefix(s, "data:") {
		_, s, _ = strings.Cut(s, ",")
	}
	s = strings.NewReplacer("\r", "", "\n", "", " ", "", "-", "+", "_", "/").Replace(s)
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil
	}
	return b
}
