package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// envelope wraps every answer of the platform.
type envelope struct {
	Data    any    `json:"data"`
	Success any    `json:"success"`
	Message string `json:"message"`
	Error   any    `json:"error"`
}

// reply is an answer before it is written, so that a fault can still come between.
type reply struct {
	status int
	body   envelope
	before func() // runs before the answer leaves: a callback that overtakes it

	file        []byte // instead of a body
	contentType string
}

func ok(data any) reply {
	return reply{status: http.StatusOK, body: envelope{Data: data, Success: true}}
}

// fail is a refusal. code is what stands in "error": the platform uses
// integers, floats and texts there.
func fail(status int, code any, format string, args ...any) reply {
	return reply{status: status, body: envelope{
		Success: false, Message: fmt.Sprintf(format, args...), Error: code,
	}}
}

// quirk is a refusal in the platform's odd dress: data is the text "null" and
// success is true, with an HTTP status that says the opposite.
func quirk(status, code int, message string) reply {
	return reply{status: status, body: envelope{Data: "null", Success: true, Message: message, Error: code}}
}

func notRegistered() reply {
	return quirk(http.StatusNotFound, 111, "Fiscal ID not found or not registered")
}

func (r reply) bytes() []byte {
	if inv, is := r.body.Data.(invoice); is && r.body.Success == true && r.body.Message == "" && r.body.Error == nil {
		b := inv.append(append(make([]byte, 0, 2<<10), `{"data":`...))
		return append(b, `,"success":true,"message":"","error":null}`...)
	}
	b, err := json.Marshal(r.body)
	if err != nil {
		b = []byte(`{"data":null,"success":false,"message":"` + strconv.Itoa(r.status) + `","error":500}`)
	}
	return b
}

// withoutID drops data.id from an answer.
func withoutID(body []byte) []byte {
	var e struct {
		envelope
		Data map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &e) != nil || e.Data == nil {
		return body
	}
	delete(e.Data, "id")
	e.envelope.Data = e.Data
	return reply{body: e.envelope}.bytes()
}

// write sends a whole answer and flushes it: what runs afterwards must not
// overtake it.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
}

// canned are the bodies of refusals that have been seen in the platform's
// family, by HTTP status.
func canned(status int) envelope {
	switch status {
	case http.StatusUnauthorized:
		return envelope{Success: false, Message: "Wrong Token", Error: 125.22}
	case http.StatusPaymentRequired:
		return envelope{Success: false, Message: "Billing error message: Insufficient Credit in Wallet: 0.00", Error: 611}
	case http.StatusForbidden:
		return envelope{Success: false, Message: "Unauthorized access", Error: 403}
	case http.StatusNotFound:
		return notRegistered().body
	case http.StatusUnprocessableEntity:
		return envelope{Success: false, Message: "Validation Error: Missing required field", Error: 422}
	case http.StatusInternalServerError:
		return envelope{Success: false, Message: "service temporarily unavailable", Error: 631}
	}
	return envelope{Success: false, Message: http.StatusText(status), Error: status}
}
