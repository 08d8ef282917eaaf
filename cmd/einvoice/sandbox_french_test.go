package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leaf is a value of an XML file, with the names above it.
type leaf struct{ path, scheme, text string }

func leaves(t *testing.T, file []byte) (list []leaf) {
	t.Helper()
	var path, schemes []string
	for d := xml.NewDecoder(bytes.NewReader(file)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			scheme := ""
			for _, a := range x.Attr {
				if a.Name.Local == "schemeID" {
					scheme = a.Value
				}
			}
			path, schemes = append(path, x.Name.Local), append(schemes, scheme)
		case xml.EndElement:
			path, schemes = path[:len(path)-1], schemes[:len(schemes)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(x)); text != "" {
				list = append(list, leaf{"/" + strings.Join(path, "/"), schemes[len(schemes)-1], string(x)})
			}
		}
	}
}

// frenchRates are those of BR-FR-16, before zeros that fill up to two decimals.
const frenchRates = `(0\.|10\.|13\.|20\.|7\.|8\.5|19\.6|2\.1|5\.5|20\.6|1\.05|0\.9|1\.75|9\.2|9\.6)`

// broken lists the French rules (XP Z12-012) that a CII file breaks, of those
// that the API's fields allow: of credit notes it carries no preceding invoice
// (BR-FR-CO-05), of foreign currencies no VAT in euros (BR-FR-CO-12).
func broken(t *testing.T, file []byte) (rules []string) {
	t.Helper()
	all := leaves(t, file)
	texts := func(within, name, scheme string) (list []string) {
		for _, l := range all {
			if strings.Contains(l.path, within) && strings.HasSuffix(l.path, "/"+name) && (scheme == "" || scheme == l.scheme) {
				list = append(list, l.text)
			}
		}
		return list
	}
	want := func(rule string, ok bool, seen ...string) {
		if !ok {
			rules = append(rules, fmt.Sprint(rule, " ", seen))
		}
	}
	each := func(rule, pattern, within, name, scheme string) {
		for _, v := range texts(within, name, scheme) {
			want(rule, regexp.MustCompile(`^(`+pattern+`)$`).MatchString(v), v)
		}
	}
	each("BR-FR-01", `[A-Za-z0-9+_/-]{1,35}`, "", "ExchangedDocument/ID", "")
	each("BR-FR-03", `20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])`, "", "DateTimeString", "")
	each("BR-FR-04", `380|389|393|501|386|500|384|471|472|473|261|262|381|396|502|503`, "", "ExchangedDocument/TypeCode", "")
	subjects := texts("", "IncludedNote/SubjectCode", "")
	slices.Sort(subjects)
	want("BR-FR-05/06", slices.Equal(subjects, []string{"AAB", "PMD", "PMT"}), subjects...)
	frame := texts("", "BusinessProcessSpecifiedDocumentContextParameter/ID", "")
	want("BR-FR-08", len(frame) == 1 && regexp.MustCompile(`^([BSM][12489]|S[356]|[BS]7)$`).MatchString(frame[0]), frame...)
	for _, side := range []string{"/SellerTradeParty/", "/BuyerTradeParty/"} {
		siren := texts(side, "SpecifiedLegalOrganization/ID", "0002")
		if want("BR-FR-10/11/32", len(siren) == 1 && regexp.MustCompile(`^\d{9}$`).MatchString(siren[0]), siren...); len(siren) != 1 {
			continue
		}
		each("BR-FR-09", siren[0]+`\d{5}`, side, "GlobalID", "0009")
		each("BR-FR-21/22", siren[0]+`[A-Za-z0-9+_.-]*`, side, "URIUniversalCommunication/URIID", "0225")
		want("BR-FR-12/13", len(texts(side, "URIUniversalCommunication/URIID", "0225")) == 1, side)
		want("BR-FR-CO-10", len(texts(side, "GlobalID", "")) == len(texts(side, "GlobalID", "0009")), side)
	}
	each("BR-FR-15", `S|E|AE|K|G|O|Z`, "", "CategoryCode", "")
	each("BR-FR-16", frenchRates+`0{0,2}`, "", "RateApplicablePercent", "")
	each("BR-FR-DEC-04", `\d{1,4}(\.\d{1,2})?`, "", "RateApplicablePercent", "")
	issued, due := texts("/IssueDateTime/", "DateTimeString", ""), texts("/DueDateDateTime/", "DateTimeString", "")
	want("BR-FR-CO-07", len(issued) == 1 && (len(due) == 0 || due[0] >= issued[0]), due...)
	for _, name := range []string{"LineTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "DuePayableAmount", "CalculatedAmount", "BasisAmount"} {
		want("BR-12 to BR-15", len(texts("", name, "")) > 0, name)
		each("BR-FR-DEC-01", `-?\d{1,17}(\.\d{1,2})?`, "", name, "")
	}
	each("BR-FR-DEC-02", `-?\d{1,15}(\.\d{1,4})?`, "", "BilledQuantity", "")
	each("BR-FR-DEC-03", `\d{1,13}(\.\d{1,6})?`, "", "ChargeAmount", "")
	return rules
}
