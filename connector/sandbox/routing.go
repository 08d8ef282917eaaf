package sandbox

import (
	"slices"
	"strings"
)

// route finds how an invoice gets to its recipient, and which life it has. Words
// choose a life first, so that a test can ask for one at any recipient.
func (s *Sandbox) route(p posted) (network, life string) {
	to := s.know(p.Recipient.FiscalID)
	network = to.Network
	if network == networkNone {
		network = networkEmail // an address may be there by now
	}
	if life, chosen := s.chosenLife(p, to); chosen {
		return network, life
	}
	switch {
	case network == networkEmail && strings.TrimSpace(p.Recipient.Email) == "":
		return networkEmail, nowhere
	case network == networkEmail:
		return networkEmail, byEmail
	case to.lacks(p) != "":
		return network, rejectedB2G
	case to.public():
		return network, publicBody
	}
	return network, byDefault
}

// lacks names what a public body demands and the invoice does not have.
func (e Entry) lacks(p posted) string {
	blank := func(s *string) bool { return s == nil || strings.TrimSpace(*s) == "" }
	switch {
	case e.NeedsService && blank(p.Service):
		return "chorus_pro_service_code"
	case e.NeedsCommitment && blank(p.Commitment):
		return "commitment_number"
	}
	return ""
}

// chosenLife is the life whose word stands in the number, or in the recipient's
// name or address.
func (s *Sandbox) chosenLife(p posted, to Entry) (string, bool) {
	listed, _ := s.lookUp(to.SIREN) // a made-up name chooses nothing
	said := fold(strings.Join([]string{p.Number, p.Recipient.Name, p.Recipient.Email, listed.Name}, "\n"))
	for _, life := range scenarios() {
		if slices.ContainsFunc(life.words, func(word string) bool { return strings.Contains(said, word) }) {
			return life.name, true
		}
	}
	return "", false
}
