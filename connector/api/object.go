package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/quickjson"
)

// object is a JSON object read field by field, so that one odd field never
// spoils the others. All its readers give the zero value for what is absent,
// null or of another kind, and take the first key that has something.
type object map[string]json.RawMessage

// decodeObject reads an object, nil for anything else.
func decodeObject(raw json.RawMessage) object {
	o := object{}
	if !quickjson.Members(raw, func(name string, value []byte) { o[name] = value }) {
		return nil
	}
	return o
}

func hasKey(o object, key string) bool { _, ok := o[key]; return ok }

// text reads a text, a number or a boolean as text.
func (o object) text(keys ...string) string {
	for _, k := range keys {
		if s := scalar(o[k]); s != "" {
			return s
		}
	}
	return ""
}

// scalar is the text of a JSON scalar; "null", quoted or not, is nothing.
func scalar(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' {
		return ""
	}
	s := string(raw)
	if raw[0] == '"' {
		s, _ = quickjson.Text(raw)
	}
	s = strings.TrimSpace(s)
	if s == "null" {
		return ""
	}
	return s
}

// code reads an error code; 0 and false are no error.
func (o object) code(keys ...string) string {
	s := o.text(keys...)
	if s == "0" || s == "false" {
		return ""
	}
	return s
}

func (o object) boolean(key string) bool {
	b, _ := strconv.ParseBool(o.text(key))
	return b
}

func (o object) object(keys ...string) object {
	for _, k := range keys {
		if sub := decodeObject(unquoted(o[k])); sub != nil {
			return sub
		}
	}
	return nil
}

// objects reads an array; a single object counts as an array of one.
func (o object) objects(keys ...string) []object {
	for _, k := range keys {
		var raws []json.RawMessage
		if json.Unmarshal(o[k], &raws) != nil {
			if sub := o.object(k); sub != nil {
				return []object{sub}
			}
			continue
		}
		list := make([]object, 0, len(raws))
		for _, raw := range raws {
			if sub := decodeObject(raw); sub != nil {
				list = append(list, sub)
			}
		}
		return list
	}
	return nil
}

// amount reads a number or the same as text. More than eight decimals are the
// noise of a binary float on the other side and are rounded off.
func (o object) amount(keys ...string) connector.Amount {
	s := o.text(keys...)
	if s == "" || len(s) > 64 {
		return connector.Amount{}
	}
	d, err := decimal.Parse(strings.ReplaceAll(s, ",", "."))
	if err != nil {
		return connector.Amount{}
	}
	if d.Scale() > 8 {
		d = connector.Round(d, 8).Trim(0)
	}
	return connector.AmountOf(d)
}

// date reads the day in front of any layout that starts with YYYY-MM-DD.
func (o object) date(keys ...string) connector.Date {
	s := o.text(keys...)
	if len(s) < len(time.DateOnly) {
		return ""
	}
	d, err := connector.ParseDate(s[:len(time.DateOnly)])
	if err != nil {
		return ""
	}
	return d
}

// moment reads RFC 3339, "2026-01-26 14:06:43 +00:00", the same with the zone
// written otherwise ("+0000", "+00", "UTC") or without one (UTC), and seconds since
// 1970 or thousandths, millionths, billionths of them. A time of another age is
// none: every later status would be older than it.
func (o object) moment(keys ...string) time.Time {
	for _, k := range keys {
		s := o.text(k)
		if t := momentIn(s); t.Year() >= 1970 && t.Year() < 2200 {
			return t
		}
		whole, _, _ := strings.Cut(s, ".")
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil && n > 0 {
			return sinceEpoch(n)
		}
	}
	return time.Time{}
}

// momentIn reads a date and a time of day with what follows of a zone.
func momentIn(s string) time.Time {
	if len(s) < len(time.DateTime) || s[10] != 'T' && s[10] != ' ' {
		return time.Time{}
	}
	s = s[:10] + "T" + strings.TrimSuffix(strings.ReplaceAll(s[11:], " ", ""), "UTC")
	for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
		if t, err := time.Parse("2006-01-02T15:04:05"+zone, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// sinceEpoch tells the unit by the size: as seconds, each is of this age only.
func sinceEpoch(n int64) time.Time {
	switch {
	case n > 1e17:
		return time.Unix(0, n).UTC()
	case n > 1e14:
		return time.UnixMicro(n).UTC()
	case n > 1e11:
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// unquoted gives JSON that stands in a text its own form: "null", "{...}".
func unquoted(raw json.RawMessage) json.RawMessage {
	s, ok := quickjson.Text(bytes.TrimSpace(raw))
	if !ok {
		return raw
	}
	if t := strings.TrimSpace(s); json.Valid([]byte(t)) {
		return json.RawMessage(t)
	}
	return raw
}

func firstText(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
