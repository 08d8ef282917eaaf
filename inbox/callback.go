package inbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
)

// The events that callbacks are registered for.
const (
	EventCustomer = "customer-invoice" // about invoices that we issued
	EventSupplier = "supplier-invoice" // about invoices that we received
)

const callbackPath = "/callback/"

// door is one address that the platform may call.
type door struct {
	segment string // of the path; guessing it is guessing 128 bits
	header  string // that must come with it
	company string
	event   string
}

// doors derives every address from the secrets, so that nothing is stored and
// each company and event has its own.
func doors(secrets []setting.Secret, companies []connector.Company) (list []door) {
	for _, s := range secrets {
		for _, c := range companies {
			for _, event := range []string{EventCustomer, EventSupplier} {
				list = append(list, door{segment(s, c.ID, event), headerValue(s), c.ID, event})
			}
		}
	}
	return list
}

func segment(s setting.Secret, company, event string) string {
	return derive(s, "path", company, event)
}

// headerValue is derived as well: whoever sees a header cannot compute a path.
func headerValue(s setting.Secret) string { return derive(s, "header") }

// derive gives 128 bits in hex. The parts have their length before them, so
// that no two lists of parts are the same text.
func derive(s setting.Secret, parts ...string) string {
	mac := hmac.New(sha256.New, []byte(s.Reveal()))
	fmt.Fprint(mac, "einvoice callback 1")
	for _, p := range parts {
		fmt.Fprintf(mac, "|%d:%s", len(p), p)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// CallbackURL is the address to register for a company's event, below base
// (public_url). It holds a secret: never log it. "" when callbacks are off.
func (in *Inbox) CallbackURL(base, company, event string) string {
	if len(in.secrets) == 0 {
		return ""
	}
	return strings.TrimRight(base, "/") + callbackPath + segment(in.secrets[0], company, event)
}

// Headers are the headers to register with each callback. They hold a secret.
func (in *Inbox) Headers() map[string]string {
	if len(in.secrets) == 0 || in.cfg.Callback.Header == "" {
		return nil
	}
	return map[string]string{in.cfg.Callback.Header: headerValue(in.secrets[0])}
}

// Handler serves the platform's calls. A call that is not authenticated is
// answered 404 (path) or 401 (header) before its body is read, and leaves no
// trace. The 200 is a promise: the call is on disk.
func (in *Inbox) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, status := in.authenticate(r)
		if status == http.StatusOK {
			status = in.receive(w, r, d)
		}
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		w.WriteHeader(status)
	})
}

// authenticate compares with every door and never stops early, so that the
// time tells nothing.
func (in *Inbox) authenticate(r *http.Request) (door, int) {
	given, ok := strings.CutPrefix(r.URL.Path, callbackPath)
	if !ok {
		return door{}, http.StatusNotFound
	}
	found := -1
	for i, d := range in.doors {
		if subtle.ConstantTimeCompare([]byte(d.segment), []byte(given)) == 1 {
			found = i
		}
	}
	if found < 0 {
		return door{}, http.StatusNotFound
	}
	d := in.doors[found]
	secret := r.Header.Get(in.cfg.Callback.Header)
	if in.cfg.Callback.Header == "" { // a platform that sends none: the path alone is the secret
		secret = d.header
	}
	if subtle.ConstantTimeCompare([]byte(d.header), []byte(secret)) != 1 {
		return door{}, http.StatusUnauthorized
	}
	if r.Method != http.MethodPost {
		return door{}, http.StatusMethodNotAllowed
	}
	return d, http.StatusOK
}

// receive records an authenticated call and gives the status of the answer.
// The platform calls again after 503 only, so every trouble of ours is a 503.
func (in *Inbox) receive(w http.ResponseWriter, r *http.Request, d door) int {
	limit := in.cfg.Callback.MaxBodyMiB << 20
	if r.ContentLength > limit {
		return http.StatusRequestEntityTooLarge
	}
	body := &sender{from: http.MaxBytesReader(w, r.Body, limit)}
	blob, err := in.opt.Blobs.Put(r.Context(), body)
	if err == nil {
		err = fault.Hit(fault.CallbackStored)
	}
	if err != nil {
		return in.refuse(body, err)
	}
	c := ledger.Callback{Company: d.company, Event: d.event, BodySHA256: blob.SHA256, ReceivedAt: in.opt.Now()}
	notice, err := in.read(r.Context(), c, r.Header.Get("Content-Type"))
	switch {
	case err == nil:
		c.APIID = notice.APIID
	case errors.Is(err, errUnread): // nothing is known of it: it may name an invoice
		return in.refuse(body, err)
	}
	err = in.opt.Ledger.RecordCallback(r.Context(), c)
	if err == nil {
		err = fault.Hit(fault.CallbackRecorded)
	}
	if err != nil {
		in.opt.Log.Error().Err(err).Str("company", d.company).Msg("cannot record callback; the platform was asked to call again")
		return http.StatusServiceUnavailable
	}
	in.heard()
	select {
	case in.wake <- struct{}{}:
	default:
	}
	return http.StatusOK
}

// refuse tells the sender's faults from ours.
func (in *Inbox) refuse(body *sender, err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(body.err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case body.err != nil:
		return http.StatusBadRequest
	}
	in.opt.Log.Error().Err(err).Msg("cannot store callback; the platform was asked to call again")
	return http.StatusServiceUnavailable
}

// sender remembers the error of reading from the network, which Put wraps
// together with those of writing.
type sender struct {
	from io.Reader
	err  error
}

func (s *sender) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// read parses a recorded body. The type is "" where it is not known any more:
// headers are not kept. Bodies are large (attachments in base64), so
// only one is in memory at a time.
func (in *Inbox) read(ctx context.Context, c ledger.Callback, contentType string) (api.Notice, error) {
	select {
	case in.parsing <- struct{}{}:
	case <-ctx.Done():
		return api.Notice{}, fmt.Errorf("%w: %w", errUnread, ctx.Err())
	}
	defer func() { <-in.parsing }()
	body, err := in.blob(c.BodySHA256)
	if err != nil {
		return api.Notice{}, fmt.Errorf("%w: %w", errUnread, err)
	}
	return api.ParseCallback(contentType, body)
}

// errUnread tells a body that could not be read back from one that is no callback.
var errUnread = errors.New("body not read")

func (in *Inbox) blob(sha string) ([]byte, error) {
	f, err := in.opt.Blobs.Open(sha)
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", sha, err)
	}
	return b, nil
}
