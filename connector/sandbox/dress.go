package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// dress puts an answer into the odd clothes that its faults ask for. All of
// them were seen in the platform's family.
func dress(struck map[string]Fault, body []byte) []byte {
	if len(struck) == 0 {
		return body
	}
	odd := map[string]func(e map[string]any){
		"null_data":      func(e map[string]any) { e["data"] = "null" },
		"text_success":   func(e map[string]any) { e["success"] = fmt.Sprint(e["success"]) },
		"text_error":     func(e map[string]any) { e["error"] = textOf(e["error"]) },
		"float_error":    func(e map[string]any) { e["error"] = json.Number("422.22") },
		"other_time":     func(e map[string]any) { eachInvoice(e["data"], otherTime) },
		"missing_fields": func(e map[string]any) { eachInvoice(e["data"], missing) },
		"unknown_fields": func(e map[string]any) { unknown(e) },
	}
	var e map[string]any
	for kind, change := range odd {
		if _, hit := struck[kind]; !hit {
			continue
		}
		if e == nil {
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.UseNumber()
			if dec.Decode(&e) != nil {
				return body
			}
		}
		change(e)
	}
	if e == nil {
		return body
	}
	changed, err := json.Marshal(e)
	if err != nil {
		return body
	}
	return changed
}

func textOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func eachInvoice(data any, change func(map[string]any)) {
	switch d := data.(type) {
	case map[string]any:
		change(d)
	case []any:
		for _, item := range d {
			eachInvoice(item, change)
		}
	}
}

func otherTime(inv map[string]any) {
	created, _ := inv["create_at"].(string)
	for layout, other := range map[string]string{time.RFC3339: layoutIncoming, layoutIncoming: time.RFC3339} {
		if t, err := time.Parse(layout, created); err == nil {
			inv["create_at"] = t.Format(other)
			return
		}
	}
}

func missing(inv map[string]any) {
	for _, key := range []string{"type", "details", "payment_means", "tax_subtotals", "attachments", "create_at", "amount_excluding_tax",
		"tax_amount", "amount_including_tax", "currency", "chorus_pro_service_code"} {
		delete(inv, key)
	}
}

func unknown(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			unknown(item)
		}
		v["x_new_in_2027"] = map[string]any{"anything": []any{1, nil, "é"}}
	case []any:
		for _, item := range v {
			unknown(item)
		}
	}
}

// shapes of a callback's body, by the fault that asks for it.
const (
	shapeBare    = "callback_bare"
	shapeWrapped = "callback_wrapped"
	shapeLegacy  = "callback_legacy"
)

// payload is the body of a callback: {data, custom}, or another of the shapes
// that the platform's family uses.
func (c *call) payload(inv invoice) ([]byte, error) {
	if c.bytes > 0 {
		inv.Attached = append(inv.Attached, attachment{
			Document: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), c.bytes)), MIMEType: "application/pdf", Filename: "enorme.pdf"})
	}
	type wrapped struct {
		Data   any             `json:"data"`
		Custom json.RawMessage `json:"custom"`
	}
	var body any = wrapped{inv, c.to.Custom}
	switch c.shape {
	case shapeBare:
		body = inv
	case shapeWrapped:
		body = map[string]any{"data": body}
	case shapeLegacy:
		body = map[string]any{"event": c.event, "data": map[string]any{"invoice": map[string]any{
			"uuid": inv.ID, "created_at": inv.Created, "filename": strings.ToLower(inv.Number) + ".xml", "file_id": inv.ID, "payload": inv}}}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("render callback: %w", err)
	}
	return b, nil
}

// spoil makes of one callback what its faults leave of it. The caller holds mu.
func (s *Sandbox) spoil(c *call, struck map[string]Fault) []*call {
	hit := func(kind string) bool { _, is := struck[kind]; return is }
	if hit("callback_lost") {
		s.record(c, 0, fmt.Errorf("lost by fault"))
		return nil
	}
	for _, kind := range []string{"callback_wrong_header", "callback_no_header"} {
		if hit(kind) {
			c.to.Headers = spoilt(c.to.Headers, kind)
		}
	}
	for _, shape := range []string{shapeBare, shapeWrapped, shapeLegacy} {
		if hit(shape) {
			c.shape = shape
		}
	}
	if f, is := struck["callback_huge"]; is {
		if c.bytes = f.Bytes; c.bytes == 0 {
			c.bytes = 20 << 20
		}
	}
	c.late = struck["callback_late"].Delay
	list := []*call{c}
	if hit("callback_twice") {
		again := *c
		list = append(list, &again)
	}
	if hit("callback_forged") {
		forged := *c
		forged.to.Headers, forged.to.Retry = spoilt(c.to.Headers, "callback_wrong_header"), 0
		forged.invoice.State, forged.invoice.External = "DONE", "paid"
		forged.then = c
		list[0] = &forged
	}
	return s.swap(list, hit("callback_swapped"))
}

func spoilt(headers map[string]string, kind string) map[string]string {
	other := map[string]string{}
	for name := range headers {
		if kind == "callback_wrong_header" {
			other[name] = "wrong"
		}
	}
	return other
}

// swap keeps callbacks back until the next one of the same invoice and address
// has come; the last one of a life never waits. The caller holds mu.
func (s *Sandbox) swap(list []*call, back bool) []*call {
	c := list[0]
	key := c.invoice.ID + " " + c.to.URL
	if waiting := s.kept[key]; waiting != nil {
		delete(s.kept, key)
		last := c
		for last.then != nil {
			last = last.then
		}
		last.then = waiting
		return list
	}
	if back && len(c.invoice.ahead()) > 0 {
		s.kept[key] = c
		return list[1:]
	}
	return list
}
