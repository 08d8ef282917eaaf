package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait bounds what a Retry-After may ask.
const maxWait = 24 * time.Hour

// reply is one answer, or the failure to get one.
type reply struct {
	status     int // 0: no answer
	header     http.Header
	body       []byte
	err        error // of the transport, or of reading the body
	written    bool  // a byte of the request may have left
	likelyKey  bool  // the token used does not look like one
	retryAfter time.Duration

	isJSON  bool            // the body is one JSON object
	data    json.RawMessage // of the envelope; the whole body when there is no envelope
	failure bool            // the envelope says that it went wrong
	code    string          // "111", "125.22", "" when there is none
	message string
	subject object // of the answer, once object has read it
}

// parse reads the envelope {data, success, message, error} in all the variants
// seen: data may be an object, an array, null, the text "null" or absent;
// success a boolean or a text, true even on a failure; error null, an integer,
// a float or a text.
func (r *reply) parse() {
	if r.err != nil {
		return
	}
	r.body = bytes.TrimPrefix(r.body, utf8BOM)
	o := decodeObject(r.body)
	if o == nil {
		return
	}
	r.isJSON = true
	r.message = o.text("message")
	r.code = o.code("error", "error_code")
	if r.code == "" && !r.holdsData(o) {
		r.code = o.code("code") // beside data it is no error: "code": 200
	}
	r.failure = r.code != "" || strings.EqualFold(o.text("success"), "false")
	if nested := o.object("error"); nested != nil {
		r.failure = true
		r.code = nested.code("code", "error")
		r.message = firstText(r.message, nested.text("message"))
	}
	switch data, enveloped := o["data"]; {
	case enveloped:
		r.data = unquoted(data)
	case !hasKey(o, "success"):
		r.data = bytes.TrimSpace(r.body)
	}
}

// holdsData tells a success that has something to show.
func (r *reply) holdsData(o object) bool {
	return r.status/100 == 2 && len(o["data"]) > 0 && string(unquoted(o["data"])) != "null"
}

var utf8BOM = []byte("\xef\xbb\xbf")

// object is one, read; it is read once, as answers hold whole invoices.
func (r *reply) object() object {
	if r.subject == nil {
		r.subject = decodeObject(r.one())
	}
	return r.subject
}

// one gives the single object that the answer is about, nil when there is none or several.
func (r *reply) one() json.RawMessage {
	if data := bytes.TrimSpace(r.data); len(data) > 0 && data[0] == '{' {
		return data
	}
	var list []json.RawMessage
	if json.Unmarshal(r.data, &list) == nil && len(list) == 1 {
		return list[0]
	}
	return nil
}

// blamesToken tells whether another token may help.
func (r *reply) blamesToken() bool {
	return r.status == http.StatusUnauthorized ||
		r.status == http.StatusPaymentRequired && strings.HasPrefix(r.code, "125")
}

// fromProxy tells whether a web page answered instead of the API, as a proxy's
// block page does.
func (r *reply) fromProxy() bool {
	if r.isJSON {
		return false
	}
	kind := strings.ToLower(r.header.Get("Content-Type"))
	head := bytes.ToLower(bytes.TrimSpace(r.body[:min(len(r.body), 512)]))
	return strings.Contains(kind, "html") || bytes.HasPrefix(head, []byte("<!doctype")) ||
		bytes.HasPrefix(head, []byte("<html")) || r.header.Get("Proxy-Authenticate") != "" ||
		r.header.Get("X-Squid-Error") != ""
}

// text is what the platform said, for people: its message, or the head of the body.
func (r *reply) text() string {
	s := r.message
	if s == "" {
		s = string(r.body[:min(len(r.body), 400)])
	}
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if runes := []rune(s); len(runes) > 400 {
		s = string(runes[:400]) + "…"
	}
	return s
}

// retryAfter reads seconds or an HTTP date, 0 when there is neither.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	wait := time.Duration(0)
	if n, err := strconv.ParseInt(v, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		wait = t.Sub(now)
	}
	return min(max(wait, 0), maxWait)
}
