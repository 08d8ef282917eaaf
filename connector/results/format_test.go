package results

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// nasty has what each format must not stumble over.
const nasty = "Œuf & <b>\"1\"</b> ]]>; \\ \x01 fin\nligne 2 Ğ €"

// written renders one file of each kind in a format, by its kind.
func written(t *testing.T, c Config) map[string]string {
	t.Helper()
	b := newBench(t)
	b.cfg = c
	b.restart()
	at := time.Date(2026, 11, 23, 7, 59, 1, 0, time.UTC)
	f := orders()
	f.Problems = []problem.Problem{{Code: "E2001", Severity: problem.Warn, Value: nasty}}
	f.Controls = []ledger.Control{{Name: "total", Stated: "1234.50", Computed: "1234.50"}}
	b.ledger.files[2] = f
	b.ledger.sums[2] = ledger.Summary{Invoices: 3, Counts: map[ledger.Verdict]int{ledger.VerdictQueued: 3}}
	ack := b.ledger.add(ledger.Publication{Place: "main", Kind: ledger.KindAck, Name: AckName("orders.csv", 7, c.Ext()), FileID: 2})
	b.ledger.lines[ack.ID] = []ledger.AckLine{
		{Seq: 41, Invoice: ledger.Invoice{ID: 1, Row: 2, ERPKey: nasty, Key: connector.Key{Number: "F1"}, Verdict: ledger.VerdictQueued}},
		{Seq: 42, Invoice: ledger.Invoice{ID: 2, Row: 3, Key: connector.Key{Number: "F2"}, Verdict: ledger.VerdictHeld},
			Problem: problem.Problem{Code: "E5304", Severity: problem.Hold, Value: nasty, Field: "issue_date"}},
	}
	b.ledger.add(ledger.Publication{Place: "main", Kind: ledger.KindSummary, Name: SummaryName("orders.csv", 7, c.Ext()), FileID: 2})
	b.ledger.events = []ledger.Event{{Company: "acme", Number: "F1", APIID: "id-1", Kind: ledger.EventStatus, OccurredAt: at, SourceFile: "orders.csv", SourceRow: 2,
		Status: connector.Status{State: "ERROR", External: "rejected", Code: 213, Reason: nasty}}}
	b.round(3)
	out := map[string]string{}
	for name, content := range b.main().files {
		kind := "status"
		if parts := strings.Split(name, "."); len(parts) > 3 {
			kind = parts[3]
		}
		if !strings.HasSuffix(name, "."+c.Ext()) {
			t.Errorf("%s has another extension than .%s", name, c.Ext())
		}
		out[kind] = content
	}
	if len(out) != 3 {
		t.Fatalf("files: %v", b.main().written)
	}
	return out
}

func config(change func(*Config)) Config {
	c := Defaults()
	change(&c)
	return c
}

func TestJSONFilesFollowTheirSchema(t *testing.T) {
	files := written(t, config(func(c *Config) { c.Format = JSON }))
	var ack struct {
		Kind  string
		Lines []struct {
			Seq     int
			ERPKey  string `json:"erp_key"`
			Verdict string
		}
	}
	if err := json.Unmarshal([]byte(files["ack"]), &ack); err != nil {
		t.Fatal(err)
	}
	if len(ack.Lines) != 2 || ack.Kind != "acknowledgement" || ack.Lines[0].Seq != 41 || ack.Lines[0].ERPKey != nasty {
		t.Errorf("acknowledgement: %+v", ack)
	}
	if strings.Contains(files["summary"], "1234,50") {
		t.Error("JSON has a decimal comma")
	}
	schema := temp(t, "schema.json", JSONSchema)
	judge(t, schema, files, ".json", "python3", "-c", `import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(json.load(open(sys.argv[2])), schema)`)
}

func TestXMLFilesFollowTheirSchema(t *testing.T) {
	schema := temp(t, "results.xsd", XSD)
	for _, encoding := range []string{UTF8, UTF8BOM, Windows1252} {
		files := written(t, config(func(c *Config) { c.Format, c.Encoding = XML, encoding }))
		var ack struct {
			Lines []struct {
				Seq    int    `xml:"seq"`
				ERPKey string `xml:"erp_key"`
			} `xml:"line"`
		}
		text := files["ack"]
		if encoding == Windows1252 {
			text, _ = charmap.Windows1252.NewDecoder().String(text)
			text = strings.Replace(text, "windows-1252", "utf-8", 1)
		}
		if err := xml.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &ack); err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(nasty, "\x01", "\ufffd"); len(ack.Lines) != 2 || ack.Lines[0].Seq != 41 || ack.Lines[0].ERPKey != want {
			t.Errorf("%s: %+v", encoding, ack)
		}
		judge(t, schema, files, ".xml", "xmllint", "--noout", "--nonet", "--schema")
	}
}

// judge has each file validated by somebody else's program.
func judge(t *testing.T, schema string, files map[string]string, ext, tool string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no ", tool)
	}
	if tool == "python3" && exec.Command(tool, "-c", "import jsonschema").Run() != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3-jsonschema is missing")
		}
		t.Skip("no python3-jsonschema")
	}
	check := func(content string) ([]byte, error) {
		return exec.Command(tool, append(append([]string{}, args...), schema, temp(t, "file"+ext, content))...).CombinedOutput()
	}
	for kind, content := range files {
		if out, err := check(content); err != nil {
			t.Errorf("%s: %v\n%s\n%s", kind, err, out, content)
		}
	}
	for _, wrong := range [][2]string{{"QUEUED", "QUEUD"}, {"seq", "sequence"}} {
		if _, err := check(strings.ReplaceAll(files["ack"], wrong[0], wrong[1])); err == nil {
			t.Errorf("the schema accepts %s", wrong[1])
		}
	}
}

func temp(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTheSchemasKnowEveryColumn keeps both in step with the code.
func TestTheSchemasKnowEveryColumn(t *testing.T) {
	for _, name := range append(names(ackColumns()), names(statusColumns())...) {
		if !strings.Contains(XSD, `name="`+name+`"`) || !strings.Contains(JSONSchema, `"`+name+`": {`) {
			t.Errorf("a schema has no column %s", name)
		}
		if widths()[name] == 0 {
			t.Errorf("column %s has no width", name)
		}
	}
}

// TestANumberThatDoesNotFitIsNotCut: 1234 cut to 123 would be an old line, which
// a reader that ignores what it has seen throws away.
func TestANumberThatDoesNotFitIsNotCut(t *testing.T) {
	b := newBench(t)
	b.cfg.Format, b.cfg.Widths = Fixed, map[string]int{"seq": 3}
	b.restart()
	const ack = "late.csv.000001.ack.txt"
	b.acknowledged(orders(), ledger.AckLine{Seq: 1234, Invoice: ledger.Invoice{ID: 1}})
	b.ledger.pubs[0].Name = ack
	if n, err := b.Publish(t.Context()); n != 0 || err == nil || !strings.Contains(err.Error(), "seq 1234 does not fit") {
		t.Fatalf("published %d, %v: %q", n, err, b.main().files[ack])
	}
	b.cfg.Widths["seq"] = 4
	b.restart()
	b.clock = b.clock.Add(time.Hour)
	b.round(1)
	if got := b.main().files[ack]; !strings.Contains(got, "\n1234") {
		t.Errorf("with a wider column: %q", got)
	}
}

func TestFixedWidthPutsEveryColumnInItsPlace(t *testing.T) {
	c := config(func(c *Config) {
		c.Format, c.Encoding = Fixed, Windows1252
		c.AckColumns, c.Widths = []string{"seq", "document_number", "verdict", "erp_key"}, map[string]int{"seq": 5, "document_number": 4, "erp_key": 12}
	})
	if got, want := written(t, c)["ack"], "seq  docuverdict   erp_key     \r\n   41F1  QUEUED    \x8cuf & <b>\"1\"\r\n   42F2  HELD                  \r\n"; got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	c.Header, c.Encoding, c.AckColumns = false, UTF8, nil
	total := 0
	for _, name := range names(ackColumns()) {
		total += c.width(name)
	}
	lines := strings.Split(strings.TrimSuffix(written(t, c)["ack"], "\r\n"), "\r\n")
	if len(lines) != 2 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n != total {
			t.Errorf("a line of %d characters, want %d", n, total)
		}
	}
}

func TestCSVWithoutHeader(t *testing.T) {
	files := written(t, config(func(c *Config) { c.Header, c.AckColumns = false, []string{"seq", "verdict"} }))
	sameText(t, files["ack"], "41;QUEUED\r\n42;HELD\r\n")
}

func TestEachPlaceHasItsOwnSettings(t *testing.T) {
	b := newBench(t)
	b.cfg.Places = map[string]Config{"main": config(func(c *Config) { c.Format, c.OKFile = JSON, true })}
	b.restart()
	b.ledger.events = []ledger.Event{{Company: "acme", Kind: ledger.EventSent}}
	b.round(1)
	if got := strings.Join(b.main().written, " "); !strings.HasSuffix(got, "_1.json.ok") {
		t.Errorf("written: %s", got)
	}
	if b.cfg.Of("other").Format != CSV {
		t.Error("the other places changed as well")
	}
}

func TestTheNextFileOfAFixedNameWaitsUntilTheLastWasTaken(t *testing.T) {
	b := newBench(t)
	b.cfg.StatusName = "statuts.csv"
	b.restart()
	event := func(number string) {
		b.ledger.events = append(b.ledger.events, ledger.Event{Company: "acme", Number: number, Kind: ledger.EventSent})
	}
	event("F1")
	b.main().crash = "after"
	if _, err := b.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.main().crash = ""
	b.clock = b.clock.Add(time.Minute)
	b.restart()
	b.round(1) // it knows its own file again
	first := b.main().files["statuts.csv"]
	event("F2")
	for range 3 {
		b.clock = b.clock.Add(time.Minute)
		b.round(0)
	}
	if len(b.Blocked()) > 0 {
		t.Error("waiting for the ERP counts as a failure")
	}
	sameText(t, b.main().files["statuts.csv"], first)
	delete(b.main().files, "statuts.csv") // the ERP took it
	b.clock = b.clock.Add(time.Minute)
	b.round(1)
	if second := b.main().files["statuts.csv"]; !strings.Contains(second, "\r\n2;acme;F2;") {
		t.Errorf("second file: %q", second)
	}
}

func TestStatusFilesAreCutAtTimesOfDay(t *testing.T) {
	b := newBench(t) // 09:00 in Paris
	b.cfg.StatusAt = []string{"18:30", "06:00"}
	b.restart()
	b.ledger.events = []ledger.Event{{Company: "acme", Kind: ledger.EventSent, OccurredAt: b.clock}}
	for _, step := range []struct {
		forward time.Duration
		restart bool
		files   int
	}{
		{0, false, 0}, {9 * time.Hour, false, 0}, {0, true, 0}, {29 * time.Minute, false, 0}, {time.Minute, true, 1}, {time.Hour, false, 0},
	} {
		b.clock = b.clock.Add(step.forward)
		if step.restart {
			b.restart()
		}
		n, err := b.Flush(t.Context()) // a stop is no reason to be early
		if err != nil || n != step.files {
			t.Fatalf("at %s: %d files, %v", b.clock, n, err)
		}
	}
}

func TestSettingsOfFormatsOutOfBounds(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"format":            func(c *Config) { c.Format = "pdf" },
		"encoding":          func(c *Config) { c.Format, c.Encoding = JSON, Windows1252 },
		"widths":            func(c *Config) { c.Widths = map[string]int{"nothing": 5} },
		"status_at":         func(c *Config) { c.StatusAt = []string{"6h"} },
		"ack_name":          func(c *Config) { c.AckName = "../x.csv" },
		"status_name":       func(c *Config) { c.AckName, c.StatusName = "x.csv", "x.csv" },
		"place.acme.format": func(c *Config) { c.Places = map[string]Config{"acme": config(func(c *Config) { c.Format = "pdf" })} },
		"place.nobody":      func(c *Config) { c.Places = map[string]Config{"nobody": Defaults()} },
	} {
		r := setting.NewReport()
		config(change).Validate(r, []string{"acme"})
		if ms := r.Mistakes(); len(ms) != 1 || ms[0].Key != name {
			t.Errorf("%s: %+v", name, ms)
		}
	}
}
