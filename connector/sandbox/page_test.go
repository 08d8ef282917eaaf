package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// driver is a page of the test that uses the sandbox's page as a person does,
// in a frame: it fills in forms, presses buttons and reads what stands there.
const driver = `<!doctype html><iframe id="f" src="/" style="width:1200px;height:900px"></iframe><pre id="said"></pre><script>
const frame = document.getElementById("f"), said = [];
const steps = [
  d => { said.push("newest: " + d.querySelector("#invoices tr:nth-child(2) .state").textContent);
         const f = d.querySelector("#invoices tr:nth-child(2) form"); f.to.value = "refused"; f.querySelector("button").click(); },
  d => { const row = d.querySelector("#invoices tr:nth-child(2)"); said.push("refused: " + row.querySelector(".state").textContent + " " + row.querySelector("small").textContent);
         const f = d.querySelector("#supplier"); f.supplier_name.value = "Scierie <b>du</b> Nord"; f.document_number.value = "S-1"; f.amount.value = "12,50"; f.querySelector("button").click(); },
  d => { said.push("rows: " + d.querySelectorAll("#invoices tr[id]").length + ", newest: " + d.querySelector("#invoices tr:nth-child(2) td:nth-child(3)").textContent);
         const last = d.querySelector("#invoices tr:nth-child(3) form"); last.to.value = "paid"; last.querySelector("button").click(); },
  d => { said.push("paid: " + d.querySelector("#invoices tr:nth-child(3) .state").textContent + ", scripts: " + d.scripts.length);
         document.getElementById("said").textContent = "SAID " + said.join("; "); },
];
frame.onload = () => { try { steps.shift()(frame.contentDocument); } catch (e) { document.getElementById("said").textContent = "SAID " + said.join("; ") + " " + e; } };
</script>`

// TestThePageInARealBrowser advances, refuses and sends a supplier invoice by
// the page's own forms.
func TestThePageInARealBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := tool(t, "chromium")
	r := open(t, Options{}).registered()
	r.post("STUCK")
	r.settle()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/driver" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(driver))
			return
		}
		r.ServeHTTP(w, q)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=15000", "--dump-dom", server.URL+"/driver").CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	said := regexp.MustCompile(`SAID [^<]*`).FindString(string(out))
	want := "SAID newest: SENT; refused: ERROR CMD_ERR; rows: 2, newest: S-1; paid: DONE, scripts: 0"
	if said != want {
		t.Errorf("%s\nwant\n%s", said, want)
	}
	v := r.must(200, "GET", "/FR-invoices?direction=incoming", "")
	if at(v, "data", 0, "sender", "name") != "Scierie <b>du</b> Nord" || at(v, "data", 0, "total_amount_including_tax") != 15.0 {
		t.Errorf("it arrived as %v", at(v, "data", 0))
	}
}

func TestThePageEscapesAndRefusesOtherSites(t *testing.T) {
	r := open(t, Options{}).registered()
	r.must(200, "POST", "/FR-invoices", invoiceTo("<script>alert(1)</script>", buyer, "X"))
	text := string(r.file("/"))
	if strings.Contains(text, "<script") || !strings.Contains(text, "BAC À SABLE") {
		t.Error("the page runs what a number says")
	}
	for site, want := range map[string]int{"http://evil.test": 403, "http://example.com": 404} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/sandbox/page/advance", strings.NewReader("id=1"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", site)
		r.ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("from %s: %d, want %d", site, w.Code, want)
		}
	}
}
