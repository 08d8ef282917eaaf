package rules

import (
	"fmt"
	"unicode/utf8"
)

// maxCommitment is the longest commitment number that Chorus Pro takes.
const maxCommitment = 50

// publicBuyer tells whether the recipient is of the public sector, as the
// export says or as a SIREN that begins with 1 or 2 does.
func (s *sheet) publicBuyer() bool {
	siren := s.inv.Buyer.SIREN()
	return s.inv.PublicBuyer || isSIREN(siren) && (siren[0] == '1' || siren[0] == '2')
}

// serviceCode warns only: whether it is needed is a choice of each public body.
func serviceCode(s *sheet, say report) {
	if s.publicBuyer() {
		need(say, s.inv.ServiceCode, "chorus_pro_service_code", "BT-10")
	}
}

func publicSIRET(s *sheet, say report) {
	if id := s.inv.Buyer.FiscalID; s.publicBuyer() && isSIREN(id) {
		say(finding{field: "recipient.fiscal_id", bt: "BT-47", value: id})
	}
}

func commitmentLength(s *sheet, say report) {
	if n := s.inv.CommitmentNumber; s.publicBuyer() && utf8.RuneCountInString(n) > maxCommitment {
		say(finding{field: "commitment_number", bt: "BT-13", value: n,
			args: map[string]string{"limit": fmt.Sprint(maxCommitment)}})
	}
}
