package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// callbackTimeout is the platform's: after it the call counts as failed.
const callbackTimeout = 30 * time.Second

// call is one callback on its way, with the invoice as it was when it was due.
type call struct {
	event   string
	to      callback
	invoice record
	attempt int
	shape   string        // of the body; "": the usual one
	bytes   int           // of an attachment that is added
	late    time.Duration // how much later than due
	then    *call         // goes when this one has come to its end
	started time.Time
}

// newClient never follows a redirect: only a 200 of the address itself counts.
func newClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// callBack plans the calls that an invoice's company asked for. The caller holds mu.
func (s *Sandbox) callBack(r record, due time.Time) {
	for _, c := range s.calls(r) {
		s.at(due.Add(c.late), task{call: c})
	}
}

// calls are the callbacks for an invoice, already without those that get lost
// and with those that go out twice. The caller holds mu.
func (s *Sandbox) calls(r record) []*call {
	event := "customer-invoice"
	if r.Incoming {
		event = "supplier-invoice"
	}
	owner := s.store.companies[r.Owner]
	if owner == nil {
		return nil
	}
	var list []*call
	for _, a := range owner.APIConfigurations {
		// The sister API writes customer_invoice in places.
		if strings.ReplaceAll(a.Event, "_", "-") != event || a.Callback == nil {
			continue
		}
		struck := s.strikes(r.Number, func(f Fault) bool {
			onEvent := f.On == "customer-invoice" || f.On == "supplier-invoice"
			return f.ofCallback() && (!onEvent || f.On == event)
		})
		to := *a.Callback
		if s.switches.Load().Callbacks == "plain" {
			to.Headers, to.Retry, to.Custom = nil, 0, nil
		}
		list = append(list, s.spoil(&call{event: event, to: to, invoice: r, attempt: 1}, struck)...)
	}
	return list
}

// deliver makes one attempt and plans the next where the company asked for retries.
func (s *Sandbox) deliver(ctx context.Context, c *call) {
	c.started = s.opt.Now()
	status, err := s.send(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(c, status, err)
	if s.closed {
		return
	}
	if c.then != nil {
		s.at(s.opt.Now(), task{call: c.then})
	}
	if status == http.StatusOK {
		return
	}
	s.opt.Log("sandbox: callback %s of %s to %s: attempt %d answered %d %v", c.event, c.invoice.Number, c.to.URL, c.attempt, status, err)
	if c.attempt > c.to.Retry || !passing(status) {
		return
	}
	again := *c
	again.then = nil
	again.attempt++
	s.at(s.opt.Now().Add(s.step()<<(c.attempt-1)), task{call: &again})
}

// passing tells the failures after which the platform calls again: no answer, or
// that of a gateway. What the receiver itself says is its last word.
func passing(status int) bool {
	switch status {
	case 0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// record puts an attempt into the books. The caller holds mu.
func (s *Sandbox) record(c *call, status int, err error) {
	t := Try{
		At: s.opt.Now(), Event: c.event, URL: c.to.URL, Invoice: c.invoice.ID, Number: c.invoice.Number,
		State: c.invoice.State, External: c.invoice.External, Attempt: c.attempt, Status: status,
		ID: newID(s.opt.Now()), Started: c.started, custom: c.to.Custom, headers: c.to.Headers, method: c.to.Method, field: c.to.Field, retry: c.to.Retry,
	}
	if err != nil {
		t.Error = err.Error()
	}
	s.books.tried(t)
	s.remember(entry{Tried: t.kept()})
}

// send calls once. It returns the HTTP status, 0 when there was no answer.
func (s *Sandbox) send(ctx context.Context, c *call) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callbackTimeout)
	defer cancel()
	req, err := s.callRequest(ctx, c)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode, nil
}

func (s *Sandbox) callRequest(ctx context.Context, c *call) (*http.Request, error) {
	inv, err := s.invoice(c.invoice)
	if err != nil {
		return nil, err
	}
	body, err := c.payload(inv)
	if err != nil {
		return nil, err
	}
	contentType := "application/json"
	if strings.EqualFold(c.to.Method, "POST") {
		contentType = "application/x-www-form-urlencoded"
		body = []byte(url.Values{cmp.Or(c.to.Field, "data"): {string(body)}}.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	for name, value := range c.to.Headers {
		req.Header.Set(name, value)
	}
	return req, nil
}
