package rules

import (
	"strings"

	"einvoice/connector"
)

// blank tells whether a text says nothing.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

func need(say report, value, field, bt string) {
	if blank(value) {
		say(finding{field: field, bt: bt})
	}
}

func needNumber(s *sheet, say report) { need(say, s.inv.Number, "document_number", "BT-1") }

func needIssueDate(s *sheet, say report) { need(say, string(s.inv.IssueDate), "issue_date", "BT-2") }

func needCurrency(s *sheet, say report) { need(say, s.inv.Currency, "currency", "BT-5") }

func needSellerID(s *sheet, say report) {
	if !s.sellerLeftOut() {
		need(say, s.inv.Seller.FiscalID, "sender.fiscal_id", "BT-30")
	}
}

// sellerLeftOut tells whether an export names no seller at all while nobody
// said which companies are ours: the configuration is to name it then.
func (s *sheet) sellerLeftOut() bool {
	p := &s.inv.Seller
	return s.ctx.AnySeller && blank(p.FiscalID) && blank(p.Name) && blank(p.VATID)
}

// sellerIDShape speaks where nobody knows which companies are ours; else
// sellerIsOurs does.
func sellerIDShape(s *sheet, say report) {
	if id := s.inv.Seller.FiscalID; s.ctx.AnySeller && !blank(id) && !isSIREN(id) && !isSIRET(id) {
		say(finding{field: "sender.fiscal_id", bt: "BT-30", value: id})
	}
}

// sellerIsOurs compares SIRENs: an establishment's SIRET is fine for a company
// registered by its SIREN, and the reverse.
func sellerIsOurs(s *sheet, say report) {
	if s.ctx.AnySeller || blank(s.inv.Seller.FiscalID) || s.company() != nil {
		return
	}
	var ours []string
	for _, c := range s.ctx.Companies {
		ours = append(ours, c.SIREN())
	}
	say(finding{field: "sender.fiscal_id", bt: "BT-30", value: s.inv.Seller.FiscalID, expected: strings.Join(ours, ", ")})
}

// company is the registered company that sells, nil when it is none of ours.
func (s *sheet) company() *connector.Company {
	siren := s.inv.Seller.SIREN()
	if siren == "" {
		return nil
	}
	for i := range s.ctx.Companies {
		if c := &s.ctx.Companies[i]; c.SIREN() == siren {
			return c
		}
	}
	return nil
}

// needSellerName is content with the name under which the company is registered.
func needSellerName(s *sheet, say report) {
	if c := s.company(); !s.sellerLeftOut() && (c == nil || blank(c.Name)) {
		need(say, s.inv.Seller.Name, "sender.name", "BT-27")
	}
}

func needBuyerName(s *sheet, say report) { need(say, s.inv.Buyer.Name, "recipient.name", "BT-44") }

// withoutSIREN tells whether the recipient has no French number at all: a
// private person, a foreigner, or an incomplete record. A number that is there
// but mutilated (Excel cuts leading zeros) is a mistake instead, unless the
// recipient's country shows that it is a foreign one.
func (s *sheet) withoutSIREN() bool {
	id := s.inv.Buyer.FiscalID
	return blank(id) || !isSIREN(id) && !isSIRET(id) && s.foreignBuyer()
}

func (s *sheet) foreignBuyer() bool {
	switch s.inv.Buyer.Address.Country {
	case "", "FR", "GP", "MQ", "GF", "RE", "YT":
		return false
	}
	return true
}

// outOfScope never leaves out a public buyer: those all have a SIRET, so that
// one without is a gap in the data.
func outOfScope(s *sheet, say report) {
	if s.ctx.Config.WithoutSIREN == withoutIgnore && s.withoutSIREN() && !s.inv.PublicBuyer {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: s.inv.Buyer.FiscalID})
	}
}

// lacksSIREN tells whether the recipient has no SIREN and no setting lets the
// invoice go without.
func (s *sheet) lacksSIREN() bool {
	return s.withoutSIREN() && (s.ctx.Config.WithoutSIREN != withoutSend || s.inv.PublicBuyer)
}

// sirenOfVAT is the SIREN inside the recipient's VAT number, "" where there is none.
func (s *sheet) sirenOfVAT() string {
	if vat := s.inv.Buyer.VATID; validFrenchVAT(vat) && connector.Luhn(vat[4:]) {
		return vat[4:]
	}
	return ""
}

func needBuyerSIREN(s *sheet, say report) {
	if s.lacksSIREN() && s.sirenOfVAT() == "" {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: s.inv.Buyer.FiscalID})
	}
}

// buyerSIRENInVAT says what the missing SIREN surely is. It is not filled in:
// the establishment is for the seller to know.
func buyerSIRENInVAT(s *sheet, say report) {
	if siren := s.sirenOfVAT(); s.lacksSIREN() && siren != "" {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: s.inv.Buyer.FiscalID, expected: siren})
	}
}

// buyerReachable is for recipients whom the directory cannot know.
func buyerReachable(s *sheet, say report) {
	b := &s.inv.Buyer
	if s.withoutSIREN() && s.ctx.Config.WithoutSIREN == withoutSend && blank(b.VATID) && blank(b.Email) {
		say(finding{field: "recipient.email", bt: "BT-58"})
	}
}

// reportedElsewhere is said of what goes without a SIREN: it is a matter of
// e-reporting as well, and nobody else would say that this is not done here.
func reportedElsewhere(s *sheet, say report) {
	if s.withoutSIREN() && !s.inv.PublicBuyer && s.ctx.Config.WithoutSIREN == withoutSend {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: s.inv.Buyer.FiscalID})
	}
}

// needSellerCountry and needBuyerCountry take a SIREN for an answer: the
// directory knows where its establishments are.
func needSellerCountry(s *sheet, say report) {
	if !s.sellerLeftOut() {
		s.needCountry(say, s.parties()[0])
	}
}

func needBuyerCountry(s *sheet, say report) { s.needCountry(say, s.parties()[1]) }

func (s *sheet) needCountry(say report, p party) {
	if !isSIREN(p.SIREN()) {
		need(say, p.Address.Country, p.field+".address.country", p.countryBT)
	}
}

func buyerEmail(s *sheet, say report) { need(say, s.inv.Buyer.Email, "recipient.email", "BT-58") }

func needLine(s *sheet, say report) {
	if len(s.inv.Lines) == 0 {
		say(finding{field: "invoice_lines", bt: "BG-25"})
	}
}

func needDescription(s *sheet, say report) {
	for i := range s.inv.Lines {
		if blank(s.inv.Lines[i].Description) {
			say(finding{field: lineField(i, "description"), bt: "BT-153", line: i + 1})
		}
	}
}

func needQuantity(s *sheet, say report) {
	for i := range s.inv.Lines {
		if !s.inv.Lines[i].Quantity.Present() {
			say(finding{field: lineField(i, "quantity"), bt: "BT-129", line: i + 1})
		}
	}
}

func needPrice(s *sheet, say report) {
	for i := range s.inv.Lines {
		if !s.inv.Lines[i].UnitPrice.Present() {
			say(finding{field: lineField(i, "unit_price"), bt: "BT-146", line: i + 1})
		}
	}
}

// needRate lets lines outside the scope of VAT have none (BR-O-05).
func needRate(s *sheet, say report) {
	for i := range s.inv.Lines {
		if l := &s.inv.Lines[i]; !l.Rate.Present() && l.Category != "O" {
			say(finding{field: lineField(i, "tax_rate"), bt: "BT-152", line: i + 1})
		}
	}
}
