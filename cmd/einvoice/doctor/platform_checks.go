package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
)

// greeting is the platform's answer to one request without a token.
type greeting struct {
	status int
	date   time.Time // by its clock; zero where it told none
	ours   time.Time // when it came
	expiry time.Time // of the certificate that ends first; zero without TLS
	err    error
}

// greetOnce asks the platform when the first check wants to know.
func (e *exam) greetOnce(ctx context.Context) func() greeting {
	return sync.OnceValue(func() greeting {
		ctx, cancel := context.WithTimeout(ctx, perCheck)
		defer cancel()
		g, err := e.greet(ctx)
		g.err = err
		return g
	})
}

func (e *exam) greet(ctx context.Context) (g greeting, err error) {
	client, err := e.client()
	if err != nil {
		return g, err
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, e.API.BaseURL, nil)
	if err != nil {
		return g, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return g, err
	}
	resp.Body.Close()
	g.status, g.ours = resp.StatusCode, e.machine.Now()
	g.date, _ = http.ParseTime(resp.Header.Get("Date")) // absent: zero
	if resp.TLS != nil {
		for _, c := range resp.TLS.PeerCertificates {
			if g.expiry.IsZero() || c.NotAfter.Before(g.expiry) {
				g.expiry = c.NotAfter
			}
		}
	}
	return g, nil
}

// client goes the way of the API's client: its proxy, its authorities, no redirects.
func (e *exam) client() (*http.Client, error) {
	t := &http.Transport{Proxy: e.proxyOf, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ResponseHeaderTimeout: perCheck}
	if e.API.CAFile != "" {
		pem, err := os.ReadFile(e.API.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read api.ca_file: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the system's certificates: %w", err)
		}
		pool.AppendCertsFromPEM(pem)
		t.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

func (e *exam) proxyOf(r *http.Request) (*url.URL, error) {
	if e.API.Proxy != "" {
		return url.Parse(e.API.Proxy)
	}
	return http.ProxyFromEnvironment(r)
}

// viaProxy is the proxy that leads to the platform, nil where none does.
func (e *exam) viaProxy() (*url.URL, error) {
	base, err := url.Parse(e.API.BaseURL)
	if err != nil {
		return nil, err
	}
	return e.proxyOf(&http.Request{URL: base})
}

func proxy(ctx context.Context, e *exam, _ string) verdict {
	u, err := e.viaProxy()
	switch {
	case err != nil:
		return fail(setting.Say("the proxy's address cannot be read"), setting.Say("correct api.proxy or HTTPS_PROXY")) // the error may show its password
	case u == nil:
		return ok(setting.Say("no proxy"))
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return fail(setting.Say("no connection: %v", caused(err)), setting.Say("correct api.proxy or HTTPS_PROXY, or open the firewall to the proxy"))
	}
	conn.Close()
	return ok(setting.Say("%s answers", u.Host))
}

func name(ctx context.Context, e *exam, _ string) verdict {
	base, err := url.Parse(e.API.BaseURL)
	if err != nil {
		return fail(setting.Say("api.base_url cannot be read"), setting.Say("correct api.base_url"))
	}
	if u, err := e.viaProxy(); err == nil && u != nil {
		return ok(setting.Say("left to the proxy"))
	}
	addrs, err := new(net.Resolver).LookupHost(ctx, base.Hostname())
	if err != nil {
		return fail(setting.Say("no address is found: %v", caused(err)), setting.Say("nslookup %s: correct the name, or the DNS server of this machine", base.Hostname()))
	}
	return ok(as(base.Hostname() + " = " + addrs[0]))
}

func reachable(_ context.Context, e *exam, _ string) verdict {
	g := e.hello()
	switch {
	case g.err != nil:
		return fail(setting.Say("no connection: %v", caused(g.err)), setting.Say("curl -I %s: open the firewall to it, or set api.proxy", e.API.BaseURL))
	case g.status == http.StatusProxyAuthRequired:
		return fail(setting.Say("the proxy asks for a login"), setting.Say("put user and password into HTTPS_PROXY of the service's environment"))
	case g.status >= 500:
		return warn(setting.Say("answers HTTP %d", g.status), setting.Say("wait: the platform has a fault, and sending goes on by itself"))
	}
	return ok(setting.Say("answers HTTP %d", g.status))
}

func certificate(_ context.Context, e *exam, _ string) verdict {
	base, err := url.Parse(e.API.BaseURL)
	if err != nil {
		return fail(setting.Say("api.base_url cannot be read"), setting.Say("correct api.base_url"))
	}
	if base.Scheme == "http" {
		if ip := net.ParseIP(base.Hostname()); base.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return ok(setting.Say("plain http, on this machine only"))
		}
		return fail(setting.Say("plain http: the token goes over the network for everybody to read"), setting.Say("write https:// in api.base_url"))
	}
	g := e.hello()
	var verify *tls.CertificateVerificationError
	switch {
	case errors.As(g.err, &verify):
		return fail(setting.Say("the certificate is not trusted: %v", verify), setting.Say("if a proxy inspects TLS, put its certificate into a file and set api.ca_file"))
	case g.err != nil:
		return fail(setting.Say("no TLS connection: %v", caused(g.err)), see("api-reachable"))
	case g.expiry.Sub(g.ours) < 3*24*time.Hour:
		return warn(setting.Say("the certificate ends on %s", g.expiry.Format(time.DateOnly)), setting.Say("tell the platform, or whoever runs the inspecting proxy"))
	}
	return ok(setting.Say("trusted until %s", g.expiry.Format(time.DateOnly)))
}

func apiClock(_ context.Context, e *exam, _ string) verdict {
	g := e.hello()
	switch {
	case g.err != nil:
		return fail(setting.Say("the platform was not reached"), see("api-reachable"))
	case g.date.IsZero():
		return ok(setting.Say("the platform tells no time"))
	}
	return skew(g.ours.Sub(g.date), setting.Say("the platform"))
}

func (e *exam) fiscalID(company string) string {
	for _, c := range e.Companies {
		if c.ID == company {
			return c.FiscalID
		}
	}
	return ""
}

// tokenValid reads one page of one invoice: a call that the daemon needs, too.
func tokenValid(ctx context.Context, e *exam, company string) verdict {
	for _, err := range e.Platform.List(ctx, api.Query{FiscalID: e.fiscalID(company), Limit: 1, MaxPages: 1}) {
		if err != nil && !errors.Is(err, api.ErrTruncated) {
			return e.refused(err)
		}
	}
	return ok(setting.Say("accepted"))
}

// tokenDays knows the end of a token that says it itself, or that the
// configuration tells; the platform shows it in its console only.
func tokenDays(_ context.Context, e *exam, _ string) verdict {
	if e.TokenEnds.IsZero() {
		return ok(setting.Say("not known: the platform's console shows the day; write it into alarm.token_expires to be warned"))
	}
	left := int(e.TokenEnds.Sub(e.machine.Now()).Hours() / 24)
	remedy := setting.Say("make a new token in the platform's console and write it into the file; no restart is needed")
	switch {
	case e.TokenEnds.Before(e.machine.Now()):
		return fail(setting.Say("the token ended on %s", e.TokenEnds.Format(time.DateOnly)), remedy)
	case left < e.TokenDays:
		return warn(setting.Say("the token ends in %d days", left), remedy)
	}
	return ok(setting.Say("%d days are left", left))
}

// callbackSpan is how far back failures of callbacks are looked for.
const callbackSpan = 24 * time.Hour

// callbackFailures finds calls that never came: statuses that only polling
// brought. The platform's own log of calls asks for the console's password,
// which a connector does not have.
func callbackFailures(ctx context.Context, e *exam, company string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		since := e.machine.Now().Add(-callbackSpan)
		n, err := l.StatusesSince(ctx, company, since)
		if err != nil {
			return fail(caused(err), see("ledger-integrity"))
		}
		last, err := l.LastCallback(ctx, company)
		switch {
		case err != nil:
			return fail(caused(err), see("ledger-integrity"))
		case n > 0 && last.Before(since):
			return fail(setting.Say("%d statuses in a day, and no call", n), setting.Say("%v; then: einvoice register -c '%s'; the platform's console lists its calls and our answers", see("callback-loop"), e.Config))
		case last.IsZero():
			return ok(setting.Say("no call yet, and no status missed"))
		}
		return ok(setting.Say("the last call came on %s", last.Format(time.RFC3339)))
	})
}

// callbackLog looks for calls that the platform made in vain. Its log belongs to
// the account: without [api.oauth] there is only callback-failures.
func callbackLog(ctx context.Context, e *exam, _ string) verdict {
	all, err := e.Calls(ctx, e.machine.Now().Add(-callbackSpan))
	switch {
	case errors.Is(err, api.ErrNoAccount):
		return ok(setting.Say("not asked: the platform shows its log to an account ([api.oauth]), not to a token"))
	case err != nil:
		return warn(setting.Say("the log cannot be read: %v", caused(err)), setting.Say("%v and [api.oauth]; the platform's console shows the same log", see("api-reachable")))
	}
	var failed []api.Call
	ours := 0
	for _, c := range all {
		if !strings.HasPrefix(c.URL, strings.TrimRight(e.CallbackURL, "/")) {
			continue
		}
		if ours++; c.Status != http.StatusOK {
			failed = append(failed, c)
		}
	}
	if len(failed) == 0 {
		return ok(setting.Say("%d calls in a day, each answered 200", ours))
	}
	seen := setting.Say("%d of %d calls in a day failed, the last at %s with status %d", len(failed), ours, failed[0].At.Format(time.RFC3339), failed[0].Status)
	if len(failed) == ours {
		return fail(seen, setting.Say("%v: the public URL must lead to inbox.callback.listen; what was missed is polled", see("callback-loop")))
	}
	return warn(seen, setting.Say("0 is no answer, 503 a ledger that could not record, 401 or 404 an old registration: einvoice register -c '%s'", e.Config))
}

// refused grades an error of the platform by its fate: a stop needs a person.
func (e *exam) refused(err error) verdict {
	seen, remedy := told(err)
	var apiErr *api.Error
	if errors.As(err, &apiErr) && apiErr.HTTP == http.StatusUnauthorized {
		remedy = setting.Say("%v A token works in the environment it was made for only: this is %s.", remedy, e.Environment)
	}
	return fail(seen, remedy)
}

func registered(ctx context.Context, e *exam, company string) verdict {
	_, known, err := e.Platform.Registered(ctx, e.fiscalID(company))
	switch {
	case err != nil:
		return e.refused(err)
	case !known:
		return fail(setting.Say("the platform does not know %s", e.fiscalID(company)), as("einvoice register -c '"+e.Config+"'"))
	}
	return ok(as(e.fiscalID(company)))
}

func callbacks(ctx context.Context, e *exam, company string) verdict {
	diff, err := e.Registration(ctx, company)
	switch {
	case err != nil:
		return e.refused(err)
	case diff != "":
		return fail(as(diff), as("einvoice register -c '"+e.Config+"'"))
	}
	return ok(setting.Say("registered as configured"))
}

// loop calls our own public address, as the platform would, on a path that our
// listener refuses.
func loop(ctx context.Context, e *exam, public string) verdict {
	remedy := setting.Say("start the service, then look at the reverse proxy, the firewall and the DNS name of inbox.callback.public_url")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, public, http.NoBody)
	if err != nil {
		return fail(setting.Say("inbox.callback.public_url cannot be read"), setting.Say("correct it"))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return fail(setting.Say("no connection: %v", caused(err)), remedy)
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusMethodNotAllowed:
		return ok(setting.Say("a call without our secret is refused (HTTP %d)", resp.StatusCode))
	}
	return fail(setting.Say("a call without our secret is answered HTTP %d: something else listens there", resp.StatusCode), remedy)
}
