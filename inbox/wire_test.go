package inbox

import (
	"encoding/json"

	"einvoice/connector"
)

// wire writes an invoice object in the API's shape, so that the original can be
// read back as if it had come from there.
func wire(id string, inv connector.Invoice) json.RawMessage {
	party := func(p connector.Party) map[string]any {
		return map[string]any{"name": p.Name, "fiscal_id": p.FiscalID, "vat_id": p.VATID}
	}
	var lines, taxes, attached []map[string]any
	for _, l := range inv.Lines {
		lines = append(lines, map[string]any{"description": l.Description, "quantity": l.Quantity, "unit_price": l.UnitPrice,
			"total_net_amount": l.Net, "tax_rate": l.Rate})
	}
	for _, t := range inv.Taxes {
		taxes = append(taxes, map[string]any{"taxable_amount": t.Taxable, "tax_amount": t.Tax, "vat_rate": t.Rate})
	}
	for _, a := range inv.Attached {
		attached = append(attached, map[string]any{"document": a.Content, "mime_type": a.MIME, "filename": a.Filename})
	}
	b, err := json.Marshal(map[string]any{
		"id": id, "state": "RECEIVED", "direction": "incoming", "document_number": inv.Number, "issue_date": inv.IssueDate,
		"type": inv.Type, "currency": inv.Currency, "sender": party(inv.Seller), "recipient": party(inv.Buyer),
		"total_amount_excluding_tax": inv.Totals.Net, "total_tax_amount": inv.Totals.Tax, "total_amount_including_tax": inv.Totals.Gross,
		"invoice_lines": lines, "tax_subtotals": taxes, "attachments": attached,
		"payment_means": []map[string]any{{"financial_account": inv.IBAN, "payment_mode": "sepa_credit_transfer"}},
	})
	if err != nil {
		panic(err)
	}
	return b
}
