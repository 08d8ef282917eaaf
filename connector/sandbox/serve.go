package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request: the page's invoices carry their PDF inside the JSON.
const maxBody = 64 << 20

// request is one call of the API, read whole.
type request struct {
	*http.Request
	route  string // "GET /FR-invoices/{id}": what counts and faults are about
	id     string // the last part of the path, where there is one
	body   []byte
	number string // the document number it is about, where it says one
	posted posted // of POST /FR-invoices, when wrong is nil
	wrong  error
	struck map[string]Fault
}

// ServeHTTP answers the API under /FR-... and the steering under /sandbox/.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if s.hurry.Swap(false) {
			s.nudge()
		}
	}()
	if !ofAPI(r.URL.Path) {
		s.steer.ServeHTTP(w, r)
		return
	}
	s.catchUp()
	q := &request{Request: r}
	q.route, q.id = route(r)
	var err error
	if q.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, s.switches.Load().MaxBody)); err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			write(w, http.StatusRequestEntityTooLarge, "application/json", fail(http.StatusRequestEntityTooLarge, 413, "Request Entity Too Large").bytes())
		}
		return // else the client went away in the middle: nothing arrived
	}
	noted := s.enter(q)
	watched := &watch{ResponseWriter: w}
	defer func() { // also when the handler hangs up
		s.mu.Lock()
		defer s.mu.Unlock()
		noted.Status = watched.status
	}()
	s.answer(watched, q)
}

// watch remembers the status of an answer.
type watch struct {
	http.ResponseWriter
	status int
}

func (w *watch) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a fault take the connection.
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ofAPI tells the platform's invoice service from its account service and from
// what steers the sandbox.
func ofAPI(path string) bool {
	switch first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); first {
	case "", "sandbox", "token", "tokens", "wallet", "scopes", "callbacks":
		return false
	}
	return true
}

func route(r *http.Request) (route, id string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	place := "/" + parts[0]
	switch {
	case len(parts) == 2 && strings.HasSuffix(parts[0], "-configurations"):
		place, id = place+"/{fiscal_id}", parts[1]
	case len(parts) == 2 && strings.HasSuffix(parts[0], "-invoices"):
		place, id = place+"/{id}", parts[1]
	case len(parts) != 1:
		place = r.URL.Path
	}
	return r.Method + " " + place, id
}

// enter books a request and finds the faults that strike it.
func (s *Sandbox) enter(q *request) *Request {
	if q.route == "POST /FR-invoices" {
		q.posted, q.wrong = parse(q.body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books.requests[q.route]++
	q.number = q.URL.Query().Get("document_number")
	switch q.route {
	case "POST /FR-invoices":
		if doc := q.posted; q.wrong == nil {
			q.number = doc.Number
			s.books.document(businessKey{siren(doc.Sender.FiscalID), doc.Number, year(doc.IssueDate)}).Posts++
		}
	case "GET /FR-invoices/{id}":
		if r := s.store.byID[q.id]; r != nil {
			q.number = r.Number
		}
		if q.URL.Query().Get("refresh") == "true" {
			s.books.refreshes++
		}
	}
	literal := q.Method + " " + q.URL.Path
	q.struck = s.strikes(q.number, func(f Fault) bool {
		return !f.ofCallback() && (f.On == "" || f.On == q.route || f.On == literal || f.On == q.Method)
	})
	noted := &Request{At: s.opt.Now(), Method: q.Method, Path: q.URL.RequestURI(), Number: q.number, Faults: slices.Sorted(maps.Keys(q.struck))}
	s.books.asked(noted)
	return noted
}

// answer is where the faults strike, in the order of Kinds.
func (s *Sandbox) answer(w http.ResponseWriter, q *request) {
	if f, hit := q.struck["slow"]; hit && !s.wait(q.Context(), f.Delay) {
		hangUp(w)
		return
	}
	if _, hit := q.struck["reset_before"]; hit {
		hangUp(w)
		return
	}
	if f, hit := q.struck["status"]; hit {
		f.write(w, http.StatusInternalServerError)
		return
	}
	if _, hit := q.struck["expired"]; hit {
		write(w, http.StatusUnauthorized, "application/json", reply{body: envelope{Success: false, Message: "Expired Token", Error: 125}}.bytes())
		return
	}
	if f, hit := q.struck["xml"]; hit {
		if f.Body == "" {
			f.Body = "<?xml version=\"1.0\"?>\n<error><code>401</code><message>Unauthorized</message></error>\n"
		}
		f.write(w, http.StatusUnauthorized)
		return
	}
	if f, hit := q.struck["html"]; hit {
		if f.Body == "" {
			f.Body = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
		}
		f.write(w, http.StatusBadGateway)
		return
	}
	rep := s.process(q)
	if rep.file != nil {
		write(w, rep.status, rep.contentType, rep.file)
		return
	}
	if rep.before != nil {
		rep.before()
	}
	s.reply(w, q, rep)
}

// reply writes what came of a processed request, or what a fault leaves of it.
func (s *Sandbox) reply(w http.ResponseWriter, q *request, rep reply) {
	if rep.status >= http.StatusBadRequest && s.switches.Load().Errors == "plain" {
		rep.body.Success, rep.body.Data = false, nil
	}
	body := rep.bytes()
	if _, hit := q.struck["reset_after"]; hit {
		hangUp(w)
		return
	}
	if f, hit := q.struck["status_after"]; hit {
		f.write(w, http.StatusInternalServerError)
		return
	}
	if f, hit := q.struck["hold"]; hit {
		s.nudge()
		if !s.wait(q.Context(), f.Delay) {
			hangUp(w) // a plain return would answer an empty 200
			return
		}
	}
	body = dress(q.struck, body)
	if _, hit := q.struck["no_id"]; hit {
		body = withoutID(body)
	}
	if f, hit := q.struck["truncate"]; hit {
		body = body[:len(body)/2]
		if f.Status != 0 {
			rep.status = f.Status
		}
	}
	write(w, rep.status, "application/json", body)
}

// write answers with a fault's own status and body.
func (f Fault) write(w http.ResponseWriter, status int) {
	if f.Status != 0 {
		status = f.Status
	}
	body, contentType := []byte(f.Body), "text/html; charset=utf-8"
	if f.Kind == "xml" {
		contentType = "application/xml"
	}
	if f.Body == "" {
		body = reply{status: status, body: canned(status)}.bytes()
	}
	if json.Valid(body) {
		contentType = "application/json"
	}
	if f.Delay > 0 && f.Kind == "status" {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.Delay+time.Second-1)/time.Second)))
	}
	write(w, status, contentType, body)
}

// wait lets time pass, for ever with 0. It is false when the client is gone
// or the sandbox closes.
func (s *Sandbox) wait(ctx context.Context, d time.Duration) bool {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return false
}

// hangUp closes the connection without an answer, with a reset where the
// connection is ours to take.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's word for the same
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// process does what the platform does.
func (s *Sandbox) process(q *request) reply {
	if refusal := s.authorise(q.Request); refusal != nil {
		return reply{status: http.StatusUnauthorized, body: *refusal}
	}
	if rep, sister := s.italy(q); sister {
		return rep
	}
	switch q.route {
	case "POST /FR-invoices":
		return s.postInvoice(q)
	case "GET /FR-invoices":
		return s.listInvoices(q)
	case "GET /FR-invoices/{id}":
		return s.getInvoice(q)
	case "POST /FR-configurations":
		return s.register(q)
	case "GET /FR-configurations":
		return s.companies()
	case "GET /FR-configurations/{fiscal_id}":
		return s.company(q.id)
	case "PATCH /FR-configurations/{fiscal_id}":
		return s.change(q)
	case "DELETE /FR-configurations/{fiscal_id}":
		return s.remove(q.id)
	}
	return fail(http.StatusNotFound, 404, "No route found for %q", q.Method+" "+q.URL.Path)
}

func (s *Sandbox) authorise(r *http.Request) *envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.credential(r)
}
