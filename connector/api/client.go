package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"einvoice/connector/setting"
)

// maxBody bounds an answer: attachments come inline as base64.
const maxBody = 64 << 20

// userAgent names us to the platform.
const userAgent = "einvoice"

// hiddenToken replaces our token wherever an answer echoes it.
const hiddenToken = "‹hidden›"

var (
	errTooLarge = errors.New("answer is larger than 64 MiB")
	errTimeout  = errors.New("request timeout")
)

// Options are what a Client needs besides its settings. All may be zero.
type Options struct {
	// Token gives the bearer token; renew asks for another one than the last,
	// after a 401. Nil: ConfiguredToken of the settings.
	Token func(ctx context.Context, renew bool) (setting.Secret, error)
	// HTTP replaces the client's own transport; then every failure that comes
	// after a connection was had counts as written.
	HTTP *http.Client
	// OnCall is told the method of every request that goes out: they may be billed.
	OnCall func(method string)
	// OnAnswer is told how each request ended; status 0 is no answer.
	OnAnswer func(method string, status int, took time.Duration)
	Log      zerolog.Logger
	Now      func() time.Time
}

// Client calls the API. It is safe for use by several goroutines.
type Client struct {
	base    string
	timeout time.Duration
	http    *http.Client
	token   func(ctx context.Context, renew bool) (setting.Secret, error)
	onCall  func(method string)
	pace    *rate.Limiter
	onEnd   func(method string, status int, took time.Duration)
	log     zerolog.Logger
	now     func() time.Time
}

// New makes a client. It reads ca_file, but calls nobody.
func New(cfg Config, opt Options) (*Client, error) {
	c := &Client{
		base:    strings.TrimRight(cfg.BaseURL, "/"),
		timeout: cfg.Timeout.Std(),
		token:   opt.Token, onCall: opt.OnCall, onEnd: opt.OnAnswer, log: opt.Log, now: opt.Now,
		http: &http.Client{},
		pace: rate.NewLimiter(rate.Inf, 1),
	}
	if cfg.RequestsPerSecond > 0 {
		c.pace.SetLimit(rate.Limit(cfg.RequestsPerSecond))
	}
	if opt.HTTP != nil {
		*c.http = *opt.HTTP
	} else {
		transport, err := newTransport(cfg)
		if err != nil {
			return nil, fmt.Errorf("set up API client: %w", err)
		}
		c.http.Transport = transport
	}
	// A redirect followed would send an invoice to an unknown place, or twice.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.token == nil {
		c.token = ConfiguredToken(cfg)
	}
	if c.onCall == nil {
		c.onCall = func(string) {}
	}
	if c.onEnd == nil {
		c.onEnd = func(string, int, time.Duration) {}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout <= 0 {
		c.timeout = Defaults().Timeout.Std()
	}
	return c, nil
}

// KeepPaceWith makes two clients of one credential share its requests per second.
// Call it before the first request.
func (c *Client) KeepPaceWith(other *Client) { c.pace = other.pace }

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call makes one request; after an answer that blames the token it asks for
// another token and, if it gets one, tries once more. That is safe for a POST:
// nothing is processed for an unknown caller.
func (c *Client) call(ctx context.Context, method, path string, body []byte) reply {
	token, err := c.token(ctx, false)
	if err != nil {
		return reply{err: tokenError(err)}
	}
	r := c.once(ctx, method, path, body, token)
	if !r.blamesToken() {
		return r
	}
	renewed, err := c.token(ctx, true)
	if err != nil || renewed == token {
		return r
	}
	return c.once(ctx, method, path, body, renewed)
}

func tokenError(err error) error {
	if errors.Is(err, errNoToken) {
		return err
	}
	return fmt.Errorf("%w: %w", errNoToken, err)
}

// once makes one request and reads its answer whole. The wait for its turn does
// not count as its time.
func (c *Client) once(ctx context.Context, method, path string, body []byte, token setting.Secret) (r reply) {
	if err := c.pace.Wait(ctx); err != nil {
		return reply{err: fmt.Errorf("wait for its turn: %w", err)}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	var f flight
	req, err := newRequest(f.trace(ctx), method, c.base+path, body, token)
	if err != nil {
		return reply{err: err}
	}
	started := c.now()
	defer func() { c.logCall(method, path, r, c.now().Sub(started)) }()
	c.onCall(method)
	res, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return reply{err: err, written: f.left()}
	}
	defer res.Body.Close()
	r = reply{status: res.StatusCode, header: res.Header, written: true, likelyKey: !LooksLikeToken(token)}
	r.body, r.err = readBody(res.Body)
	if len(token) >= 8 && bytes.Contains(r.body, []byte(token.Reveal())) {
		r.body = bytes.ReplaceAll(r.body, []byte(token.Reveal()), []byte(hiddenToken))
	}
	r.retryAfter = retryAfter(res.Header, c.now())
	r.parse()
	return r
}

func newRequest(ctx context.Context, method, url string, body []byte, token setting.Secret) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		// GetBody stays nil: with it, net/http may send the body a second time
		// over another connection, and nobody would know.
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	return req, nil
}

func readBody(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(b) > maxBody {
		return b[:maxBody], errTooLarge
	}
	return b, err
}

func (c *Client) logCall(method, path string, r reply, took time.Duration) {
	c.onEnd(method, r.status, took)
	path, _, _ = strings.Cut(path, "?")
	c.log.Debug().Str("method", method).Str("path", path).Int("status", r.status).
		Dur("took", took).AnErr("error", r.err).Msg("API call")
}
