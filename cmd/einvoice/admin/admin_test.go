package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/setting"
)

// daemon is a source as full as can be.
type daemon struct {
	dead   error
	causes []string
}

func (d daemon) Alive(context.Context) error              { return d.dead }
func (d daemon) Causes(context.Context) ([]string, error) { return d.causes, d.dead }
func (d daemon) Figures(context.Context) (Figures, error) {
	return Figures{Invoices: map[[2]string]int{{"acme", "queued"}: 3}, Received: map[[2]string]int{{"acme", "seen"}: 1}, OldestDue: map[string]time.Duration{"acme": time.Minute},
		LastFile: map[string]time.Time{"acme": time.Unix(1, 0)}, Stopped: map[string]bool{"acme": true}, DiskFree: map[string]uint64{"/x": 5},
		Alarms: map[[2]string]int{{"held", "acme"}: 1}}, d.dead
}

func ask(t *testing.T, h http.Handler, path, host string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// busy counts one of each.
func busy() *Metrics {
	m := NewMetrics("1.2.3")
	m.Event("sent")
	m.Call(http.MethodPost, 0, time.Second)
	m.Call(http.MethodGet, 503, time.Second)
	h := m.Callbacks(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
	return m
}

func TestHealthTellsItsCauses(t *testing.T) {
	const here = "127.0.0.1:8481"
	broken := errors.New("disk gone")
	for _, c := range []struct {
		path   string
		source daemon
		code   int
		text   string
	}{
		{"/livez", daemon{}, 200, "ok"},
		{"/livez", daemon{dead: broken}, 503, "disk gone"},
		{"/livez", daemon{causes: []string{"no credit"}}, 200, "ok"}, // a restart would not help
		{"/readyz", daemon{}, 200, "ok"},
		{"/readyz", daemon{causes: []string{"no credit", "share away"}}, 503, "no credit\nshare away"},
		{"/readyz", daemon{dead: broken}, 503, "disk gone"},
		{"/metrics", daemon{}, 200, `einvoice_invoices{company="acme",state="queued"} 3`},
		{"/metrics", daemon{}, 200, `einvoice_api_calls_total{class="none",method="POST"} 1`},
		{"/metrics", daemon{}, 200, `einvoice_callbacks_total{class="4xx"} 1`},
		{"/metrics", daemon{dead: broken}, 200, "einvoice_ledger_readable 0"},
	} {
		code, text := ask(t, Handler(c.source, busy()), c.path, here)
		if code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%s of %+v: %d %.2000s, want %d %q", c.path, c.source, code, text, c.code, c.text)
		}
	}
}

func TestPagesOfOtherNamesAreRefused(t *testing.T) {
	h := Handler(daemon{}, busy())
	for host, want := range map[string]int{"evil.example:8481": 421, "192.0.2.1": 421, "localhost:8481": 200, "[::1]:8481": 200, "127.0.0.1": 200} {
		if code, _ := ask(t, h, "/metrics", host); code != want {
			t.Errorf("host %s: %d, want %d", host, code, want)
		}
	}
}

// TestDashboardAndAlertsUseWhatIsExported looks for each name in what a busy
// daemon exports.
func TestDashboardAndAlertsUseWhatIsExported(t *testing.T) {
	_, exported := ask(t, Handler(daemon{}, busy()), "/metrics", "localhost")
	for _, file := range []string{"grafana.json", "alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`einvoice_[a-z_]+`).FindAllString(string(text), -1)
		if len(names) < 9 {
			t.Errorf("%s uses only %v", file, names)
		}
		for _, n := range names {
			if !regexp.MustCompile(`(?m)^` + n + `[{ ]`).MatchString(exported) {
				t.Errorf("%s uses %s, which is not exported", file, n)
			}
		}
	}
	board, err := os.ReadFile("grafana.json")
	var any map[string]any
	if err != nil || json.Unmarshal(board, &any) != nil {
		t.Errorf("grafana.json is not JSON: %v", err)
	}
	for n := range gauges() {
		if name := regexp.MustCompile(`fqName: "([a-z_]+)"`).FindStringSubmatch(gauges()[n].String()); !strings.Contains(string(board), name[1]) && n != "readable" {
			t.Errorf("the dashboard leaves out %s", name[1])
		}
	}
}

func TestTakenPortStopsNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var log strings.Builder
	if err := Serve(t.Context(), Config{Enabled: true, Listen: l.Addr().String()}, nil, zerolog.New(&log)); err != nil || !strings.Contains(log.String(), "admin.listen") {
		t.Errorf("%v %s", err, log.String())
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	for listen, fine := range map[string]bool{"127.0.0.1:8481": true, "localhost:1": true, "[::1]:8481": true, "0.0.0.0:8481": false, ":8481": false, "192.0.2.1:80": false, "x": false} {
		r := setting.NewReport()
		Config{Enabled: true, Listen: listen}.Validate(r)
		if (len(r.Mistakes()) == 0) != fine {
			t.Errorf("%s: %v", listen, r.Mistakes())
		}
	}
}
