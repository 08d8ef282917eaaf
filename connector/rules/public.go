package rules

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"einvoice/connector"
)

// What Chorus Pro takes: characters, and bytes of an attachment.
const (
	maxCommitment       = 50
	maxServiceCode      = 100
	maxPublicIBAN       = 27
	maxPublicName       = 99
	maxPublicText       = 1024
	maxPublicFilename   = 50
	maxPublicAttachment = 10 << 20
)

// These rules hold for recipients of the public sector. The export says which
// those are; a SIREN that begins with 1 or 2 lets us guess, and warn.

// guessedPublic tells whether only the SIREN speaks for a public recipient.
func (s *sheet) guessedPublic() bool {
	siren := s.inv.Buyer.SIREN()
	return !s.inv.PublicBuyer && isSIREN(siren) && (siren[0] == '1' || siren[0] == '2')
}

// forPublic reports a finding where the recipient is public, or may be.
func (s *sheet) forPublic(say report, wrong bool, f func() finding) {
	if !wrong || !s.inv.PublicBuyer && !s.guessed {
		return
	}
	found := f()
	found.guess = s.guessed
	say(found)
}

func seemsPublic(s *sheet, say report) {
	s.forPublic(say, s.guessed, func() finding {
		return finding{field: "recipient_public", bt: "BT-47", value: s.inv.Buyer.FiscalID, expected: "true"}
	})
}

// serviceCode warns only: whether it is needed is a choice of each public body.
func serviceCode(s *sheet, say report) {
	s.forPublic(say, blank(s.inv.ServiceCode) && !s.required(s.ctx.Config.ServiceCode), func() finding {
		return finding{field: "chorus_pro_service_code", bt: "BT-10"}
	})
}

func serviceCodeRequired(s *sheet, say report) {
	if blank(s.inv.ServiceCode) && s.required(s.ctx.Config.ServiceCode) {
		say(finding{field: "chorus_pro_service_code", bt: "BT-10", args: s.recipient()})
	}
}

func commitmentRequired(s *sheet, say report) {
	if blank(s.inv.CommitmentNumber) && s.required(s.ctx.Config.Commitment) {
		say(finding{field: "commitment_number", bt: "BT-13", args: s.recipient()})
	}
}

// required tells whether the recipient, or its SIREN, is on a list of settings.
func (s *sheet) required(list []string) bool {
	b := &s.inv.Buyer
	return len(list) > 0 && (slices.Contains(list, b.FiscalID) || slices.Contains(list, b.SIREN()))
}

func (s *sheet) recipient() map[string]string {
	return map[string]string{"siret": s.inv.Buyer.FiscalID}
}

func publicSIRET(s *sheet, say report) {
	id := s.inv.Buyer.FiscalID
	s.forPublic(say, isSIREN(id), func() finding {
		return finding{field: "recipient.fiscal_id", bt: "BT-47", value: id}
	})
}

func sellerSIRET(s *sheet, say report) {
	id := s.inv.Seller.FiscalID
	s.forPublic(say, isSIREN(id), func() finding {
		return finding{field: "sender.fiscal_id", bt: "BT-30", value: id}
	})
}

// short reports a text that is longer than Chorus Pro takes.
func (s *sheet) short(say report, text string, limit int, where func() finding) {
	s.forPublic(say, longerThan(text, limit), func() finding {
		f := where()
		f.value, f.args = text, map[string]string{"limit": strconv.Itoa(limit)}
		return f
	})
}

// longerThan counts characters only where there are bytes enough for them.
func longerThan(text string, limit int) bool {
	return len(text) > limit && utf8.RuneCountInString(text) > limit
}

func commitmentLength(s *sheet, say report) {
	s.short(say, s.inv.CommitmentNumber, maxCommitment, func() finding {
		return finding{field: "commitment_number", bt: "BT-13"}
	})
}

func publicNumberLength(s *sheet, say report) {
	s.numbers(func(number, field, bt string) {
		s.short(say, number, maxPublicNumber, func() finding { return finding{field: field, bt: bt} })
	})
}

func serviceCodeShape(s *sheet, say report) {
	code := s.inv.ServiceCode
	wrong := longerThan(code, maxServiceCode)
	for i := range len(code) {
		c := code[i]
		wrong = wrong || c != '-' && c != '_' && !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z')
	}
	s.forPublic(say, wrong && !blank(code), func() finding {
		return finding{field: "chorus_pro_service_code", bt: "BT-10", value: code,
			args: map[string]string{"limit": strconv.Itoa(maxServiceCode)}}
	})
}

func publicFrame(s *sheet, say report) {
	s.forPublic(say, s.inv.Frame == "S5", func() finding {
		return finding{field: "billing_frame", bt: "BT-23", value: s.inv.Frame, expected: "S3"}
	})
}

func publicIBAN(s *sheet, say report) {
	s.short(say, s.inv.IBAN, maxPublicIBAN, func() finding {
		return finding{field: "financial_account", bt: "BT-84"}
	})
}

func publicNames(s *sheet, say report) {
	s.short(say, s.inv.Seller.Name, maxPublicName, func() finding { return finding{field: "sender.name", bt: "BT-27"} })
	s.short(say, s.inv.Buyer.Name, maxPublicName, func() finding { return finding{field: "recipient.name", bt: "BT-44"} })
}

func publicTexts(s *sheet, say report) {
	s.eachLine(func(i int, l *connector.Line) {
		s.short(say, l.Description, maxPublicText, func() finding {
			return finding{field: lineField(i, "description"), bt: "BT-153", line: i + 1}
		})
	})
}

func publicFilenames(s *sheet, say report) {
	for i := range s.inv.Attached {
		s.short(say, s.inv.Attached[i].Filename, maxPublicFilename, func() finding {
			return finding{field: attachedField(i, "filename"), bt: "BT-125"}
		})
	}
}

func publicAttachments(s *sheet, say report) {
	for i := range s.inv.Attached {
		a := &s.inv.Attached[i]
		s.forPublic(say, len(a.Content) > maxPublicAttachment, func() finding {
			return finding{field: attachedField(i, "document"), bt: "BT-125", value: a.Filename,
				args: map[string]string{"size": fmt.Sprint(len(a.Content) >> 20), "limit": fmt.Sprint(maxPublicAttachment >> 20)}}
		})
	}
}
