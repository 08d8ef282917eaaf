package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrNoAccount is wrapped where only an account may ask: a token is not enough.
var ErrNoAccount = errors.New("no account: [api.oauth] is not configured")

// Call is one time the platform called back, as its own log has it.
type Call struct {
	URL    string
	Status int // HTTP status that it got; 0: no answer
	At     time.Time
}

// The log is read newest first, in pages, and not for ever.
const (
	callPage  = 100
	callPages = 10
)

// Calls reads the platform's log of callbacks since a time, newest first, at
// most a thousand. The log belongs to the account, so that [api.oauth] is needed:
// without it the error wraps ErrNoAccount.
func Calls(ctx context.Context, cfg Config, since time.Time) ([]Call, error) {
	if cfg.OAuth.URL == "" {
		return nil, ErrNoAccount
	}
	m, err := newMint(cfg, time.Now)
	if err != nil {
		return nil, fmt.Errorf("read the platform's log of callbacks: %w", err)
	}
	var all []Call
	for page := range callPages {
		calls, err := m.calls(ctx, page*callPage)
		if err != nil {
			return nil, fmt.Errorf("read the platform's log of callbacks: %w", err)
		}
		for _, c := range calls {
			if c.At.Before(since) {
				return all, nil
			}
			all = append(all, c)
		}
		if len(calls) < callPage {
			break
		}
	}
	return all, nil
}

// calls reads a page.
func (m *mint) calls(ctx context.Context, skip int) ([]Call, error) {
	key, err := readSecret(m.cfg.OAuth.KeyFile, m.cfg.OAuth.KeyEnv)
	if err != nil {
		return nil, err
	}
	q := url.Values{"skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(callPage)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(m.cfg.OAuth.URL, "/")+"/callbacks?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.SetBasicAuth(m.cfg.OAuth.Email, key.Reveal())
	res, err := m.http.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("the token host answered %s", res.Status)
	}
	return readCalls(body)
}

// readCalls understands a page. The status is a text there, "200", and may be a
// number elsewhere.
func readCalls(body []byte) ([]Call, error) {
	var page struct {
		Data []struct {
			URL     string          `json:"url"`
			Status  json.RawMessage `json:"httpResponseCode"`
			Started time.Time       `json:"startedAt"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("its answer is no list of calls: %w", err)
	}
	var calls []Call
	for _, c := range page.Data {
		status, _ := strconv.Atoi(strings.Trim(string(c.Status), `"`)) // absent or no number: no answer
		calls = append(calls, Call{URL: c.URL, Status: status, At: c.Started})
	}
	return calls, nil
}
