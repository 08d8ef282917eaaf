package rules

import (
	"slices"
	"strings"

	"einvoice/connector"
)

// Most checks of this file are about terms that the API documents no field for.
// They are off unless asked for: what is not sent can neither be refused by the
// platform nor mended by its sender.

// corrective tells whether the type is one of the corrective invoices.
func (s *sheet) corrective() bool {
	switch s.inv.Type {
	case "384", "471", "472", "473":
		return true
	}
	return false
}

// deposit tells whether the type is one of the invoices for a deposit.
func (s *sheet) deposit() bool {
	switch s.inv.Type {
	case "386", "500", "503":
		return true
	}
	return false
}

func preceding(s *sheet, say report) {
	f := finding{field: "preceding_invoice", bt: "BG-3", value: s.inv.Type}
	switch n := len(s.inv.Preceding); {
	case s.corrective() && n != 1:
		f.rule = "BR-FR-CO-04"
		say(f)
	case s.inv.IsCredit() && n == 0:
		say(f)
	}
}

// precedingNumber wants both parts of a reference: BR-FR-CO-05 adds the date.
func precedingNumber(s *sheet, say report) {
	for i := range s.inv.Preceding {
		switch r := &s.inv.Preceding[i]; {
		case blank(r.Number):
			say(finding{field: precedingField(i, "number"), bt: "BT-25"})
		case r.Date == "" && (s.corrective() || s.inv.IsCredit()):
			say(finding{field: precedingField(i, "date"), bt: "BT-26", rule: "BR-FR-CO-05"})
		}
	}
}

// The subjects of notes that every French invoice must have: the fixed fee for
// recovery, the penalties for late payment, the discount for early payment.
func noteSubjects() []string { return []string{"PMT", "PMD", "AAB"} }

// notesAbout counts the notes on a subject: "#PMT#Indemnité de 40 EUR". Several
// may stand in one text, since exports have one column for all of them.
func (s *sheet) notesAbout(code string) (n int) {
	for _, note := range s.inv.Notes {
		n += strings.Count(note, "#"+code+"#")
	}
	return n
}

func legalNotes(s *sheet, say report) {
	for _, code := range noteSubjects() {
		if s.notesAbout(code) == 0 {
			say(finding{field: "notes", bt: "BT-22", expected: "#" + code + "#..."})
		}
	}
}

func repeatedNotes(s *sheet, say report) {
	for _, code := range append(noteSubjects(), "TXD", "BAR") {
		if s.notesAbout(code) < 2 {
			continue
		}
		f := finding{field: "notes", bt: "BT-22", value: code}
		if code == "BAR" {
			f.rule = "BR-FR-31"
		}
		say(f)
	}
}

func processingNote(s *sheet, say report) {
	known := []string{"B2B", "B2BINT", "B2C", "B2CINT", "OUTOFSCOPE", "ARCHIVEONLY"}
	for _, note := range s.inv.Notes {
		_, rest, found := strings.Cut(note, "#BAR#")
		value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if found && !slices.Contains(known, value) {
			say(finding{field: "notes", bt: "BT-22", value: value, expected: strings.Join(known, ", ")})
		}
	}
}

func needFrame(s *sheet, say report) { need(say, s.inv.Frame, "billing_frame", "BT-23") }

func depositFrame(s *sheet, say report) {
	switch s.inv.Frame {
	case "B4", "S4", "M4":
		if s.deposit() {
			say(finding{field: "billing_frame", bt: "BT-23", value: s.inv.Frame, args: map[string]string{"type": s.inv.Type}})
		}
	}
}

// alreadyPaid tells whether the frame says that nothing is left to pay.
func (s *sheet) alreadyPaid() bool {
	switch s.inv.Frame {
	case "B2", "S2", "M2":
		return true
	}
	return false
}

func paidFrame(s *sheet, say report) {
	if !s.alreadyPaid() {
		return
	}
	t := &s.inv.Totals
	f := finding{bt: "BT-113", field: "prepaid_amount", value: t.Prepaid.String(), expected: t.Gross.String(),
		args: map[string]string{"frame": s.inv.Frame}}
	s.differ(say, t.Prepaid, t.Gross.Or0(), func() finding { return f })
	if s.inv.DueDate == "" {
		say(finding{field: "due_date", bt: "BT-9", args: f.args})
	}
}

func secondCurrency(s *sheet, say report) {
	if c := s.inv.Currency; c != "EUR" && isCurrency(c) {
		say(finding{field: "currency", bt: "BT-6", value: c, expected: "EUR"})
	}
}

// uniqueNumber is for callers without a ledger, who know only what they read.
func uniqueNumber(s *sheet, say report) {
	if s.ctx.Earlier == nil || blank(s.inv.Number) {
		return
	}
	if where := s.ctx.Earlier(s.inv); where != "" {
		say(finding{field: "document_number", bt: "BT-1", value: s.inv.Number, args: map[string]string{"where": where}})
	}
}

// The kinds of attachment that France knows; LISIBLE is the readable copy.
const readable = "LISIBLE"

func knownAttachment(s *sheet, say report) {
	for i := range s.inv.Attached {
		switch d := s.inv.Attached[i].Description; d {
		case "", "RIB", readable, "FEUILLE_DE_STYLE", "PJA", "BORDEREAU_SUIVI", "DOCUMENT_ANNEXE", "BON_LIVRAISON",
			"BON_COMMANDE", "BORDEREAU_SUIVI_VALIDATION", "ETAT_ACOMPTE", "FACTURE_PAIEMENT_DIRECT", "RECAPITULATIF_COTRAITANCE":
		default:
			say(finding{field: attachedField(i, "description"), bt: "BT-123", value: d, expected: "DOCUMENT_ANNEXE, BON_LIVRAISON, BON_COMMANDE"})
		}
	}
}

func oneReadable(s *sheet, say report) {
	seen := false
	for i := range s.inv.Attached {
		if s.inv.Attached[i].Description != readable {
			continue
		}
		if seen {
			say(finding{field: attachedField(i, "description"), bt: "BT-123", value: readable})
		}
		seen = true
	}
}

// transferAccount is the account that a credit transfer goes to.
func transferAccount(s *sheet, say report) {
	switch s.inv.Means {
	case "30", "58", "sepa_credit_transfer":
		if blank(s.inv.IBAN) {
			say(finding{field: "financial_account", bt: "BT-84", args: map[string]string{"means": s.inv.Means}})
		}
	}
}

// needMeans wants to know how to pay to the account that is given.
func needMeans(s *sheet, say report) {
	if !blank(s.inv.IBAN) {
		need(say, s.inv.Means, "payment_mode", "BT-81")
	}
}

// outsideVATNumber reports the VAT numbers that must not stand beside lines
// outside the scope of VAT.
func outsideVATNumber(s *sheet, say report) {
	if !s.onLine("O") {
		return
	}
	for _, p := range s.parties() {
		if !blank(p.VATID) {
			say(finding{field: p.field + ".vat_id", bt: p.vatBT, value: p.VATID})
		}
	}
}

func deliveryDate(s *sheet, say report) {
	if s.onLine("K") {
		need(say, string(s.inv.Deliver), "delivery_date", "BT-72")
	}
}

// eachLine visits all lines.
func (s *sheet) eachLine(visit func(i int, l *connector.Line)) {
	for i := range s.inv.Lines {
		visit(i, &s.inv.Lines[i])
	}
}
