package rules

import (
	"fmt"
	"strconv"
	"strings"

	"einvoice/connector"
)

// digits tells whether a text is made of ASCII digits, at least one.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isSIREN(s string) bool { return len(s) == 9 && digits(s) }

func isSIRET(s string) bool { return len(s) == 14 && digits(s) }

// validSIRET knows the post offices: La Poste has too many for the check digit,
// theirs have a sum of digits divisible by 5 (the head office obeys Luhn).
func validSIRET(s string) bool {
	const laPoste, headOffice = "356000000", "35600000000048"
	if !strings.HasPrefix(s, laPoste) || s == headOffice {
		return connector.Luhn(s)
	}
	sum := 0
	for i := range len(s) {
		sum += int(s[i] - '0')
	}
	return sum%5 == 0
}

// keyAlphabet is that of the two characters after FR: no I, no O.
const keyAlphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

func frenchVATShaped(v string) bool {
	return len(v) == 13 && v[:2] == "FR" && digits(v[4:]) &&
		strings.IndexByte(keyAlphabet, v[2]) >= 0 && strings.IndexByte(keyAlphabet, v[3]) >= 0
}

// validFrenchVAT verifies the key of a French VAT number, of the old numeric or
// the newer alphanumeric kind.
func validFrenchVAT(v string) bool {
	if !frenchVATShaped(v) {
		return false
	}
	siren, _ := strconv.Atoi(v[4:])
	if digits(v[2:4]) {
		return int(v[2]-'0')*10+int(v[3]-'0') == vatKey(siren)
	}
	first, second := strings.IndexByte(keyAlphabet, v[2]), strings.IndexByte(keyAlphabet, v[3])
	c := first*34 + second - 100
	if first < 10 {
		c = first*24 + second - 10
	}
	return c >= 0 && (siren+1+c/11)%11 == c%11
}

// numericVAT is the VAT number with the numeric key of a SIREN.
func numericVAT(siren string) string {
	n, _ := strconv.Atoi(siren)
	return fmt.Sprintf("FR%02d%s", vatKey(n), siren)
}

func vatKey(siren int) int { return (12 + 3*(siren%97)) % 97 }

// validIBAN verifies shape and remainder by ISO 13616. Spaces are not taken:
// the API gets the account as it is.
func validIBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 || !letters(s[:2]) || !digits(s[2:4]) {
		return false
	}
	if strings.HasPrefix(s, "FR") && len(s) != 27 {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// validBIC verifies the shape by ISO 9362: bank, country, place, branch.
func validBIC(s string) bool {
	if len(s) != 8 && len(s) != 11 {
		return false
	}
	for _, c := range []byte(s[6:]) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return letters(s[:4]) && isCountry(s[4:6])
}

// letters tells whether a text is made of ASCII capitals.
func letters(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
