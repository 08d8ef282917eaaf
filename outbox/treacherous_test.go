package outbox

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
	"einvoice/connector/setting"
)

// treacherous stands between the client and the platform. The first POST of an
// invoice comes to grief as its number says: the letters name the grief, the
// digits where. Every later one passes.
type treacherous struct {
	t        *testing.T
	listener net.Listener
	platform string // host:port
	mu       sync.Mutex
	struck   map[string]bool
	answer   int // bytes of the longest answer to a POST that was let through whole
	work     sync.WaitGroup
}

var numberRE = regexp.MustCompile(`"document_number":"([A-Z]+)-(\d+)"`)

func startTreacherous(t *testing.T, platform string) *treacherous {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &treacherous{t: t, listener: l, platform: strings.TrimPrefix(platform, "http://"), struck: map[string]bool{}}
	p.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { defer conn.Close(); p.serve(conn) })
		}
	})
	return p
}

// longest is the number of bytes of the longest answer that was let through whole.
func (p *treacherous) longest() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer
}

func (p *treacherous) stop() {
	p.listener.Close()
	p.work.Wait()
}

// serve carries the requests of one connection until a grief ends it.
func (p *treacherous) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		head, err := httputil.DumpRequest(req, false)
		if err != nil {
			return
		}
		grief, at := p.grief(req, body)
		if !p.carry(conn, append(head, body...), req, grief, at) {
			return
		}
	}
}

// grief is what befalls a request, "" for nothing.
func (p *treacherous) grief(req *http.Request, body []byte) (word string, at int) {
	m := numberRE.FindSubmatch(body)
	if req.Method != http.MethodPost || m == nil {
		return "", 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.struck[string(m[0])] {
		return "", 0
	}
	p.struck[string(m[0])] = true
	at, _ = strconv.Atoi(string(m[2]))
	return string(m[1]), at
}

// carry does with one request what its grief says; false ends the connection.
func (p *treacherous) carry(conn net.Conn, raw []byte, req *http.Request, grief string, at int) bool {
	if grief == "REQUEST" { // the platform and the network saw only so many KiB
		p.forward(raw[:min(at<<10, len(raw)-1)], nil)
		reset(conn)
		return false
	}
	if grief == "BLOCKED" { // by somebody on the way
		_, err := conn.Write(whole(fmt.Sprintf("%d Blocked", at), "text/html", "<html><body>Blocked by policy</body></html>"))
		return err == nil
	}
	answer := p.forward(raw, req)
	switch grief {
	case "ANSWER":
		_, _ = conn.Write(answer[:min(at, len(answer))])
		reset(conn)
		return false
	case "LATE": // until the client has gone
		_, _ = io.Copy(io.Discard, conn)
		return false
	case "MOVED":
		answer = []byte(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: http://%s/FR-invoices\r\nContent-Length: 0\r\n\r\n", at, p.listener.Addr()))
	case "NOID":
		answer = whole("200 OK", "application/json", `{"data":{},"success":true,"message":"","error":null}`)
	case "HTML":
		answer = whole(fmt.Sprintf("%d Something", at), "text/html", "<html><body>It works!</body></html>")
	case "PLAIN":
		p.mu.Lock()
		if req.Method == http.MethodPost {
			p.answer = max(p.answer, len(answer))
		}
		p.mu.Unlock()
	}
	_, err := conn.Write(answer)
	return err == nil
}

func whole(status, kind, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body), body)
}

func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) } // close sends RST

// forward gives bytes to the platform and returns its answer, as it came; with
// no request only the bytes go.
func (p *treacherous) forward(raw []byte, req *http.Request) []byte {
	up, err := net.Dial("tcp", p.platform)
	if err != nil {
		return nil
	}
	defer up.Close()
	if _, err := up.Write(raw); err != nil || req == nil {
		return nil
	}
	res, err := http.ReadResponse(bufio.NewReader(up), req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	answer, _ := httputil.DumpResponse(res, true)
	return answer
}

// TestNoCutNoSilenceAndNoNonsenseMakesASecondInvoice runs real exports through
// the real client to a platform that takes every number twice: answers cut after
// each of their bytes, requests after each KiB, answers that come too late,
// redirects, a 200 without an id, HTML. EINVOICE_CUTS=all cuts after each byte,
// not after each seventh.
func TestNoCutNoSilenceAndNoNonsenseMakesASecondInvoice(t *testing.T) {
	box, err := sandbox.New(sandbox.Options{Switches: sandbox.Switches{Limit: 100}})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	platform := httptest.NewServer(box)
	defer platform.Close()
	registerSeller(t, platform.URL)
	proxy := startTreacherous(t, platform.URL)
	defer proxy.stop()

	cfg := api.Defaults()
	cfg.BaseURL, cfg.Timeout = "http://"+proxy.listener.Addr().String(), setting.Duration(400*time.Millisecond)
	client, err := api.New(cfg, api.Options{Token: func(context.Context, bool) (setting.Secret, error) { return "any", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := newRig(t, func(o *Options, d *drop.Config) {
		o.Platform = client
		o.Config.Workers = 8
		o.Config.Lookups = []setting.Duration{setting.Duration(200 * time.Millisecond)}
		o.Config.RetryMin, o.Config.RetryMax = setting.Duration(time.Millisecond), setting.Duration(20*time.Millisecond)
		o.Config.Probe, o.Config.ProofsOver = setting.Duration(10*time.Millisecond), setting.Duration(50*time.Millisecond)
		d.Scan = setting.Duration(10 * time.Millisecond)
	})
	defer r.live()()

	r.drop("first.csv", header+row("PLAIN-1", "10"))
	r.until(func() bool { return r.state("PLAIN-1") == ledger.Sent && proxy.longest() > 0 }) // a look-up may be quicker than the answer
	numbers := r.troubles(proxy.longest())
	r.until(func() bool { // all known, and none about to start
		return r.known() == len(numbers)+1 && r.pending(ledger.Queued)+r.pending(ledger.Sending) == 0
	})
	witnesses, last := 1, time.Time{}
	r.until(func() bool { // a witness comes after every doubt; on a slow machine it may be in doubt itself
		if r.known() == len(numbers)+witnesses && time.Since(last) > 3*time.Second {
			witnesses, last = witnesses+1, time.Now()
			r.drop(fmt.Sprintf("witness%d.csv", witnesses), header+row(fmt.Sprintf("PLAIN-%d", witnesses), "10"))
			return false
		}
		return r.known() == len(numbers)+witnesses && r.pending(ledger.Sent)+r.pending(ledger.Held) == r.known()
	})

	for _, d := range box.Books().Documents {
		if len(d.IDs) > 1 {
			t.Errorf("%s was sent %d times", d.Number, len(d.IDs))
		}
		if len(d.IDs) == 1 {
			delete(numbers, d.Number)
		}
	}
	for number := range numbers {
		if s := r.state(number); s != ledger.Held {
			t.Errorf("%s is not at the platform, and %s", number, s)
		}
	}
	if n := r.pending(ledger.Sent); n < len(proxy.struck)*9/10 || n != len(box.Books().Documents) {
		t.Errorf("%d are sent for us, the platform has %d", n, len(box.Books().Documents))
	}
	t.Logf("answers of %d bytes; %d sent, %d held", proxy.longest(), r.pending(ledger.Sent), r.pending(ledger.Held))
}

// troubles drops an invoice for each trouble and returns their numbers.
func (r *rig) troubles(answer int) map[string]bool {
	numbers := map[string]bool{}
	var b strings.Builder
	b.WriteString(header)
	add := func(number string, lines int) {
		numbers[number] = true
		for range lines {
			b.WriteString(row(number, "10"))
		}
	}
	step := 7
	if testing.Short() { // the race detector
		step = 49
	}
	if os.Getenv("EINVOICE_CUTS") == "all" {
		step = 1
	}
	for k := 0; k <= answer; k += step {
		add(fmt.Sprintf("ANSWER-%d", k), 1)
	}
	add("LATE-1", 1)
	add("NOID-1", 1)
	for _, status := range []int{301, 302, 303, 307, 308} {
		add(fmt.Sprintf("MOVED-%d", status), 1)
	}
	for _, status := range []int{200, 201, 403, 404, 451, 500, 502, 503, 504} {
		add(fmt.Sprintf("HTML-%d", status), 1)
	}
	for _, status := range []int{200, 403, 404, 502} {
		add(fmt.Sprintf("BLOCKED-%d", status), 1)
	}
	r.drop("troubles.csv", b.String())
	b.Reset()
	b.WriteString(header)
	for k := 0; k < 40; k += (step + 6) / 7 {
		add(fmt.Sprintf("REQUEST-%d", k), 400) // some 40 KiB
	}
	r.drop("large.csv", b.String())
	return numbers
}

// live runs the outbox in real time from the rig's clock on; the returned
// function ends it.
func (r *rig) live() (end func()) {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for last := time.Now(); ctx.Err() == nil; time.Sleep(time.Millisecond) {
			now := time.Now()
			r.clock.add(now.Sub(last))
			last = now
		}
	})
	all.Go(func() {
		if err := r.Run(ctx); err != nil {
			r.t.Error(err)
		}
	})
	return func() { stop(); all.Wait() }
}

func (r *rig) until(ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			all, err := r.Ledger.Pending(context.Background())
			r.t.Fatalf("not yet: %v, %v", all, err)
		}
	}
}

func (r *rig) pending(s ledger.State) int {
	all, err := r.Ledger.Pending(context.Background())
	r.must(err)
	return all[s]
}

func (r *rig) known() (n int) {
	all, err := r.Ledger.Pending(context.Background())
	r.must(err)
	for _, some := range all {
		n += some
	}
	return n
}

func registerSeller(t *testing.T, platform string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, platform+"/FR-configurations", bytes.NewReader([]byte(
		`{"fiscal_id":"`+seller.FiscalID+`","name":"Acme","customer_invoice":true,"supplier_invoice":false}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer any")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
}
