package mappers

import (
	"strings"

	"einvoice/connector"
)

// cleanIdentifier takes away what people put between the digits of a SIRET, a
// VAT number or an account.
func cleanIdentifier(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f', '\t', '.', '-', '\'', '\u2019':
			return -1
		}
		return r
	}, strings.ToUpper(s))
}

// parseFiscalID reads a SIREN or a SIRET. One whose leading zero was eaten by a
// spreadsheet is mended when its check digit proves the guess.
func parseFiscalID(text string) (string, *flaw) {
	if isScientific(strings.ReplaceAll(strings.TrimSpace(text), " ", "")) {
		return "", &flaw{code: codeFloatID}
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ".0")
	id := cleanIdentifier(text)
	if (len(id) == 8 || len(id) == 13) && digitsOnly(id) && connector.Luhn("0"+id) {
		return "0" + id, &flaw{code: codeLostZero, expected: "0" + id}
	}
	return id, nil
}

// parseIdentifier reads any other identifier, such as an IBAN.
func parseIdentifier(text string) (string, *flaw) {
	if isScientific(strings.ReplaceAll(strings.TrimSpace(text), " ", "")) {
		return "", &flaw{code: codeFloatID}
	}
	return cleanIdentifier(text), nil
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// parseFlag reads yes and no in French and English.
func parseFlag(text string) (bool, *flaw) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "o", "oui", "y", "yes", "true", "vrai", "x":
		return true, nil
	case "", "0", "n", "non", "no", "false", "faux":
		return false, nil
	}
	return false, &flaw{code: codeNotFlag}
}
