package api

import (
	"context"
	"fmt"
	"net/http"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Paths of the API below its base URL.
const (
	pathInvoices       = "/FR-invoices"
	pathConfigurations = "/FR-configurations"
)

// Submit sends an invoice, once. It never returns an error: every failure has
// a fate. A cancelled ctx is Later before, Unsure after the request may have left.
func (c *Client) Submit(ctx context.Context, inv connector.Invoice) Answer {
	body, err := Marshal(inv)
	if err != nil {
		p := problem.Problem{Code: codeNotEncoded, Severity: problem.Refuse, Value: err.Error()}
		return Answer{Fate: Refused, Scope: ScopeInvoice, Problems: []problem.Problem{p}, Note: err.Error()}
	}
	r := c.call(ctx, http.MethodPost, pathInvoices, body)
	v := r.verdict()
	a := Answer{Fate: v.fate, Scope: v.scope, Doubt: v.doubt, HTTP: r.status, Problems: v.problems, RetryAfter: r.retryAfter, Note: r.note()}
	switch v.fate {
	case Sent:
		a.Remote = receiptOf(r.one(), r.object())
	case Exists:
		a.Remote.ID = remoteID(r.object())
	}
	for i := range a.Problems {
		a.Problems[i].Invoice = inv.Number
	}
	return a
}

// note says in one line what came back.
func (r *reply) note() string {
	switch {
	case r.status == 0 && r.written:
		return "no answer after the request was written: " + r.err.Error()
	case r.status == 0:
		return "nothing was sent: " + r.err.Error()
	case r.err != nil:
		return fmt.Sprintf("HTTP %d, answer broke off: %v", r.status, r.err)
	case r.failure || r.status >= 300:
		return (&Error{Op: "post invoice", HTTP: r.status, Code: r.code, Message: r.text()}).Error()
	}
	return fmt.Sprintf("HTTP %d", r.status)
}
