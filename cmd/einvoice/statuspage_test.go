package main

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"einvoice/connector/alarm"
	"einvoice/outbox"
)

// TestStatusPageTellsAndLinks reads a page as a browser without a server would:
// every link leads to something that is there.
func TestStatusPageTellsAndLinks(t *testing.T) {
	_, url := playPlatform(t)
	cfg := appConfig(t, url)
	runOnce(t, cfg)
	results := filepath.Join(cfg.dir, "results")
	at := filepath.Join(results, "STATUS.html")
	refused := filepath.Join(cfg.dir, "refused", `100% "sûr"; <b>#1.csv`)
	write(t, refused, "x")
	l, _, _ := bothLogs("info")
	a, err := newApp(t.Context(), cfg, l.log, l.tell(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	now := time.Now()
	page := func() string {
		t.Helper()
		data, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	a.writePages(t.Context(), now)
	first := page()
	for _, want := range []string{"Nothing is stopped; 1 file(s) wait for somebody.", "Atelier Démo SARL", "SANDBOX", `<td class="n">2</td>`, `href="../inbox/"`, now.In(cfg.location()).Format(time.DateTime)} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in:\n%s", want, first)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "<b>#1"} {
		if strings.Contains(first, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	followLinks(t, results, first)

	if err := os.Remove(at); err != nil {
		t.Fatal(err)
	}
	a.writePages(t.Context(), now.Add(pageEvery-time.Second))
	if _, err := os.Stat(at); err == nil {
		t.Error("rewritten before a minute has passed")
	}
	if err := a.ledger.Put(t.Context(), outbox.StoppedFact("demo"), "since 8:00, E4001: no token"); err != nil {
		t.Fatal(err)
	}
	cfg.Alarm.DiskFree = 0
	a.lookAround(t.Context(), now)
	a.writePages(t.Context(), now.Add(pageEvery))
	if second := page(); !strings.Contains(second, "1 thing(s) need your attention") || !strings.Contains(second, "Sending for demo is stopped") || !strings.Contains(second, "E4001") {
		t.Errorf("an alarm is not shown:\n%s", second)
	}
	if text := sentenceOf(pageWords("fr"), 0, []pageFolder{{}, {}}); text != "Tout va bien." {
		t.Errorf("with nothing to do: %q", text)
	}
	cfg.Language = "fr"
	a.writePages(t.Context(), now.Add(2*pageEvery))
	if data, err := os.ReadFile(filepath.Join(results, "ETAT.html")); err != nil || !strings.Contains(string(data), "demandent votre attention") {
		t.Error("no page in French", err)
	}
}

func followLinks(t *testing.T, from, page string) {
	t.Helper()
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 4 {
		t.Errorf("links %v", links)
	}
	for _, link := range links {
		name, err := url.PathUnescape(html.UnescapeString(link[1]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(from, filepath.FromSlash(name))); err != nil {
			t.Errorf("link %q leads nowhere: %v", link[1], err)
		}
	}
}

func TestAlarmsStayOnTheirCompanysPage(t *testing.T) {
	cfg := defaultConfig()
	cfg.Companies = []Company{{ID: "acme"}, {ID: "bakery"}}
	cfg.complete()
	a := &app{cfg: &cfg}
	for _, c := range []struct {
		subject string
		acme    bool
	}{{"acme", true}, {"bakery", false}, {"bakery/results", false}, {"/srv/einvoice/data", true}} {
		if got := a.concerns(alarm.Alarm{Condition: alarm.Condition{Subject: c.subject}}, "acme"); got != c.acme {
			t.Errorf("%s on acme's page: %v", c.subject, got)
		}
	}
}
