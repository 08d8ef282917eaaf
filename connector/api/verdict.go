package api

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"einvoice/connector/problem"
)

// verdict is the fate of an answer and the reason for it.
type verdict struct {
	fate     Fate
	scope    Scope
	problems []problem.Problem
	doubt    bool
}

func (r *reply) because(fate Fate, scope Scope, code string) verdict {
	p := problem.Problem{Code: code, Severity: problem.Refuse, Value: r.text()}
	if r.err != nil {
		p.Value = r.err.Error()
	}
	if fate != Refused {
		p.Severity = problem.Hold
	}
	return verdict{fate: fate, scope: scope, problems: []problem.Problem{p}}
}

// verdict decides what an answer means for a request that may have changed
// something. What is not understood is Unsure: a look-up costs one call, an
// invoice sent twice costs a credit note.
func (r *reply) verdict() verdict {
	switch {
	case r.status == 0:
		return r.unanswered()
	case r.status == http.StatusTooManyRequests:
		return r.because(Later, ScopeCredential, codeRateLimited)
	case r.err != nil:
		return r.because(Unsure, ScopeInvoice, codeBrokenAnswer)
	case r.status == http.StatusProxyAuthRequired:
		return r.because(Stopped, ScopeCredential, codeProxyAuth)
	case r.status == http.StatusNetworkAuthenticationRequired:
		return r.because(Stopped, ScopeCredential, codeProxyBlocked)
	case r.status >= 200 && r.status < 300:
		return r.accepted()
	case r.status == http.StatusServiceUnavailable && r.header.Get("Retry-After") != "":
		// It may come from a gateway that passed the invoice on and then lost the
		// platform: how long to wait is believed, that nothing was done is not.
		return r.because(Unsure, ScopeInvoice, codeUnavailable)
	case r.status < 400 || r.status >= 500:
		return r.because(Unsure, ScopeInvoice, codeUnclear)
	case r.isJSON:
		return r.refusal()
	}
	v := r.foreign()
	v.doubt = v.fate == Stopped && r.fromProxy() && !r.blamesAccount()
	return v
}

// unanswered is about a request that got no answer.
func (r *reply) unanswered() verdict {
	if r.written {
		return r.because(Unsure, ScopeInvoice, codeNoAnswer)
	}
	if refusal, ok := errors.AsType[*proxyRefusal](r.err); ok && refusal.status < 500 {
		if refusal.status == http.StatusProxyAuthRequired {
			return r.because(Stopped, ScopeCredential, codeProxyAuth)
		}
		return r.because(Stopped, ScopeCredential, codeProxyBlocked)
	}
	switch {
	case errors.Is(r.err, errKeyRefused):
		return r.because(Stopped, ScopeCredential, codeKeyRefused)
	case errors.Is(r.err, errTokenHostAway) && !isCertificate(r.err):
		return r.because(Later, ScopeCredential, codeTokenHostAway)
	case errors.Is(r.err, errNoToken) && !isCertificate(r.err):
		return r.because(Stopped, ScopeCredential, codeTokenMissing)
	case isCertificate(r.err):
		return r.because(Later, ScopeCredential, codeCertificate)
	}
	return r.because(Later, ScopeCredential, codeUnreachable)
}

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}

// accepted is about a 2xx: only an id proves that the invoice was taken in charge.
func (r *reply) accepted() verdict {
	id := remoteID(r.object())
	switch {
	case !r.isJSON, r.failure == (id != ""):
		return r.because(Unsure, ScopeInvoice, codeUnclear)
	case r.failure:
		v := r.refusal()
		if v.fate == Refused && r.vague() {
			return r.because(Unsure, ScopeInvoice, codeUnclear)
		}
		return v
	}
	return verdict{fate: Sent, scope: ScopeInvoice}
}

// vague tells a failure under a 2xx that does not blame the document: neither the
// status nor a code does, and no words, or those of a server in trouble.
func (r *reply) vague() bool {
	silent := r.message == "" && len(r.violations()) == 0 && !reasonWord.Match(r.body)
	return r.code == "" && (silent || containsAny(strings.ToLower(r.message), "unavailable", "internal error", "internal server error", "timeout", "timed out", "try again"))
}

// foreign is about a 4xx whose body is not the API's.
func (r *reply) foreign() verdict {
	switch r.status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusConflict, http.StatusRequestEntityTooLarge:
		return r.refusal() // the status says it all
	case http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		if r.fromProxy() {
			return r.because(Stopped, ScopeCredential, codeProxyBlocked)
		}
		return r.because(Stopped, ScopeCredential, codeWrongAddress)
	case http.StatusNotFound:
		if len(r.body) == 0 {
			return r.because(Stopped, ScopeCompany, codeWrongAddress)
		}
		return r.because(Stopped, ScopeCredential, codeWrongAddress)
	}
	if wrongAddress(r.status) {
		return r.because(Stopped, ScopeCredential, codeWrongAddress)
	}
	return r.because(Unsure, ScopeInvoice, codeUnclear)
}

// blamesAccount tells the statuses that are given before a document is looked at.
func (r *reply) blamesAccount() bool {
	return r.status == http.StatusUnauthorized || r.status == http.StatusPaymentRequired
}

// wrongAddress tells statuses that no invoice can cause: nothing listens there
// that knows our request.
func wrongAddress(status int) bool {
	switch status {
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone,
		http.StatusUnsupportedMediaType, http.StatusMisdirectedRequest, http.StatusUpgradeRequired:
		return true
	}
	return false
}

// refusal is about an answer of the API itself that says no, under a 4xx or
// under a 2xx with an error inside. The code in the body goes before the status.
func (r *reply) refusal() verdict {
	text := strings.ToLower(r.text())
	switch {
	case r.status == http.StatusUnauthorized, strings.HasPrefix(r.code, "125"):
		return r.because(Stopped, ScopeCredential, r.tokenCode(text))
	case r.status == http.StatusPaymentRequired, r.code == "611", r.code == "810", strings.Contains(text, "insufficient credit"):
		return r.because(Stopped, ScopeCredential, codeNoCredit)
	case r.code == "429":
		return r.because(Later, ScopeCredential, codeRateLimited)
	case r.status == http.StatusRequestTimeout, r.code == "631", len(r.code) == 3 && r.code[0] == '5':
		return r.because(Unsure, ScopeInvoice, codeUnclear)
	case r.status == http.StatusConflict, saysExists(text):
		return r.because(Exists, ScopeInvoice, codeExists)
	case r.code == "111", r.code == "424", r.code == "389", saysUnregistered(text):
		return r.because(Stopped, ScopeCompany, codeNotRegistered)
	case r.code == "174", strings.Contains(text, "service is not enabled"):
		return r.because(Stopped, ScopeCompany, codeServiceOff)
	case r.status == http.StatusForbidden, r.code == "403":
		return r.because(Stopped, ScopeCompany, codeForbidden)
	case r.status == http.StatusNotFound, wrongAddress(r.status):
		return r.because(Stopped, ScopeCredential, codeWrongAddress)
	case r.status == http.StatusRequestEntityTooLarge:
		return r.because(Refused, ScopeInvoice, codeTooLarge)
	case r.status >= 400 && r.status != http.StatusBadRequest && r.status != http.StatusUnprocessableEntity:
		return r.because(Unsure, ScopeInvoice, codeUnclear)
	}
	return verdict{fate: Refused, scope: ScopeInvoice, problems: r.documentProblems()}
}

func (r *reply) tokenCode(text string) string {
	switch {
	case strings.Contains(text, "expired"):
		return codeTokenExpired
	case r.likelyKey:
		return codeTokenLikelyKey
	}
	return codeTokenWrong
}

// saysExists tells "this document was already sent" from the same about a
// company, an e-mail address or a part of the document.
func saysExists(text string) bool {
	if strings.Contains(text, "doublon") {
		return true
	}
	if !containsAny(text, "already exist", "already been", "already sent", "already submitted", "already present", "duplicate", "existe déjà", "déjà été") {
		return false
	}
	if at := otherField.FindStringIndex(text); at != nil && !containsAny(text[at[1]:], "document", "invoice", "facture") {
		return false
	}
	if containsAny(text, "attachment", "invoice_lines[", "tax_subtotal", "breakdown", "duplicate line") {
		return false
	}
	return containsAny(text, "document", "invoice", "facture", "number", "numéro") ||
		!containsAny(text, "fiscal", "email", "registry")
}

// otherField finds a field that is not the invoice's number in front of a text.
// That may still blame its number: a key of several fields is told at one of them.
var otherField = regexp.MustCompile(`^(?:validation error:?\s*)?(?:sender|recipient|invoice_lines|payment_means|tax_subtotals|attachments|commitment_number|chorus_pro_service_code)[a-z0-9_.\[\]]*\s*:`)

// saysUnregistered tells "your company is not registered", which stops all of its
// invoices, from the same about one recipient.
func saysUnregistered(text string) bool {
	if containsAny(text, "recipient", "buyer", "destinataire") && !containsAny(text, "sender", "seller") {
		return false
	}
	return containsAny(text, "not registered", "missing configuration")
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// reasonWord finds what may be an official reason code in a text.
var reasonWord = regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\bDOUBLON\b|\bAUTRE\b`)

// documentProblems says why the document was refused: official reason codes,
// single fields where the platform lists them, else its text as it came.
func (r *reply) documentProblems() []problem.Problem {
	var found []problem.Problem
	for _, word := range reasonWord.FindAllString(string(r.body), 20) {
		if p, ok := problem.OfReason(word, r.text()); ok {
			found = append(found, p)
		}
	}
	if len(found) > 0 {
		return found
	}
	for _, v := range r.violations() {
		found = append(found, fieldProblem(firstText(v.text("message", "title", "detail"), r.text()),
			v.text("field", "propertyPath", "property", "path")))
	}
	if len(found) == 0 {
		found = append(found, fieldProblem(r.text(), ""))
	}
	return found
}

// violations are the single complaints that some answers list beside the text.
func (r *reply) violations() []object {
	whole := decodeObject(r.body)
	for _, place := range []object{whole, whole.object("data"), whole.object("error")} {
		if list := place.objects("violations", "errors", "details"); len(list) > 0 {
			return list[:min(len(list), 50)]
		}
	}
	return nil
}

// fieldPath finds a field in front of a text ("recipient.name: ...") or quoted
// inside ("The 'name' is required").
var (
	fieldPath   = regexp.MustCompile(`^(?:Validation [Ee]rror:?\s*)?([a-z][a-z_]*(?:\.[a-z_]+|\[[a-z0-9_]+\])*)\s*:`)
	quotedField = regexp.MustCompile(`['"“]([a-z][a-z_]*(?:\.[a-z_]+|\[\d+\])*)['"”]`)
	innerField  = regexp.MustCompile(`\[([a-z_]+)\]`)
)

func fieldProblem(text, field string) problem.Problem {
	if field == "" {
		if m := fieldPath.FindStringSubmatch(text); m != nil {
			field = m[1]
		} else if m := quotedField.FindStringSubmatch(text); m != nil {
			field = m[1]
		}
	}
	p := problem.Problem{Code: codeRefused, Severity: problem.Refuse, Value: text, Field: innerField.ReplaceAllString(field, ".$1")}
	lower := strings.ToLower(text)
	switch {
	case p.Field != "" && containsAny(lower, "blank", "required", "missing", "obligatoire"):
		p.Code = codeFieldMissing
	case p.Field != "":
		p.Code = codeFieldRefused
	}
	return p
}
