package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"

	"einvoice/connector"
)

// maxNesting bounds how deep a callback may wrap its invoice.
const maxNesting = 8

// Notice is what a callback says: something happened to an invoice.
type Notice struct {
	APIID     string
	Direction connector.Direction // "" when neither event nor invoice say
	Event     string              // "customer-invoice", "supplier-invoice", "" when not said
	Custom    json.RawMessage     // as registered with the callback, nil when absent
	Remote    *connector.Remote   // nil when the callback holds no more than an id
}

// ParseCallback reads the body of a callback in every wrapping seen: a JSON
// body or a form field with JSON in it; {"data": invoice, "custom": ...}, the
// same twice, {"event", "data": {"invoice": ...}}, JSON inside a text, the bare
// invoice. It trusts nothing: authenticate the caller first, and read the
// invoice again by its id. Bound the body before.
func ParseCallback(contentType string, body []byte) (Notice, error) {
	raw, err := callbackJSON(contentType, body)
	if err != nil {
		return Notice{}, fmt.Errorf("parse callback: %w", err)
	}
	var n Notice
	invoice := n.unwrap(raw, maxNesting)
	if invoice == nil {
		return Notice{}, errors.New("parse callback: no id of an invoice in it")
	}
	o := decodeObject(invoice)
	n.APIID = remoteID(o)
	n.Direction = directionOf(o.text("direction"))
	if n.Direction == "" {
		n.Direction = directionOf(n.Event)
	}
	if hasKey(o, "state") || hasKey(o, "document_number") {
		remote := remoteOf(invoice)
		n.Remote = &remote
	}
	return n, nil
}

// callbackJSON finds the JSON in a body, whatever its declared type.
func callbackJSON(contentType string, body []byte) (json.RawMessage, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, utf8BOM))
	if json.Valid(body) {
		return body, nil
	}
	if kind, _, err := mime.ParseMediaType(contentType); err == nil && kind == "application/json" {
		return nil, errors.New("not JSON")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("neither JSON nor a form")
	}
	if v := form.Get("data"); json.Valid([]byte(v)) {
		return json.RawMessage(v), nil
	}
	for _, values := range form {
		for _, v := range values {
			if strings.HasPrefix(v, "{") && json.Valid([]byte(v)) {
				return json.RawMessage(v), nil
			}
		}
	}
	return nil, errors.New("neither JSON nor a form with JSON in a field")
}

// unwrap gives the innermost object that names an invoice, and picks up the
// event and the custom value on the way in.
func (n *Notice) unwrap(raw json.RawMessage, depth int) json.RawMessage {
	if depth == 0 {
		return nil
	}
	raw = unquoted(raw)
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		return n.unwrap(list[0], depth-1)
	}
	o := decodeObject(raw)
	if o == nil {
		return nil
	}
	n.Event = firstText(n.Event, strings.ReplaceAll(o.text("event"), "_", "-"))
	if custom := o["custom"]; n.Custom == nil && len(custom) > 0 && string(custom) != "null" {
		n.Custom = custom
	}
	for _, key := range []string{"invoice", "data", "notification"} {
		if inner := n.unwrap(o[key], depth-1); inner != nil {
			return inner
		}
	}
	if remoteID(o) == "" {
		return nil
	}
	return raw
}
