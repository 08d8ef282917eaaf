package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// benchInvoices is the number of invoices of one measure.
func benchInvoices(b *testing.B) int {
	text := os.Getenv("EINVOICE_BENCH_INVOICES")
	if text == "" {
		return 10_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkWholePath takes one CSV export of three-line invoices from the drop
// until the last outcome is durable and its status file written, with the
// sandbox in a process of its own; and beside it, in the same run, what keeps and
// tells nothing: a loop that parses such a file and posts, and 16 such loops at
// once, which is as many connections as einvoice has. Then the same with a platform
// 20 ms away, where the one loop gets a sixteenth of the invoices: its rate does not
// depend on their number. All are processes, so that CPU seconds and peak memory are
// the operating system's own figures, of the whole process:
//
//	go test ./cmd/einvoice -run '^$' -bench WholePath -benchtime 3x
func BenchmarkWholePath(b *testing.B) {
	n := benchInvoices(b)
	for _, away := range []time.Duration{0, 20 * time.Millisecond} {
		few := n
		if away > 0 {
			few = max(1, n/16)
		}
		rates := map[string]float64{}
		run := func(name string, n int, process newContender) {
			b.Run(name+"/"+away.String(), func(b *testing.B) {
				rates[name] = measure(b, n, away, map[string]benchExport{"bench.csv": {0, n, 3}}, process)
				for _, other := range []string{"loop", "loops"} {
					if name == "einvoice" && rates[other] > 0 {
						b.ReportMetric(rates[name]/rates[other], "of-"+other)
					}
				}
			})
		}
		run("loop", few, rawProcess(1))
		run("loops", n, rawProcess(16))
		run("einvoice", n, einvoiceProcess)
	}
}

// BenchmarkSmallFiles drops as many exports of one invoice each.
func BenchmarkSmallFiles(b *testing.B) {
	n := benchInvoices(b)
	exports := map[string]benchExport{}
	for i := range n {
		exports[fmt.Sprintf("bench%06d.csv", i)] = benchExport{i, i + 1, 1}
	}
	measure(b, n, 0, exports, einvoiceProcess)
}

// profiled writes a CPU profile of a process that a benchmark starts, where the
// environment names a file for it.
func profiled(run func() int) int {
	path := os.Getenv("EINVOICE_BENCH_PROFILE")
	if path == "" || len(os.Args) < 2 || os.Args[1] != "run" {
		return run()
	}
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	defer pprof.StopCPUProfile()
	return run()
}

// contender is a process that takes exports to the platform.
type contender struct {
	*exec.Cmd
	results string // the folder of its status files, the last of which ends the measure; "": its end does
}

// newContender gives a contender its exports.
type newContender func(b *testing.B, api string, exports map[string]benchExport) contender

// measure returns the invoices per second.
func measure(b *testing.B, invoices int, away time.Duration, exports map[string]benchExport, process newContender) float64 {
	var told, after time.Duration
	var cpu float64
	var peak int64
	for range b.N {
		b.StopTimer()
		api, stop := benchSandbox(b)
		if away > 0 {
			benchAway(b, api, away)
		}
		cmd := process(b, api, exports)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		b.StartTimer()
		start := time.Now()
		err := cmd.Run()
		whole := time.Since(start)
		b.StopTimer()
		if err != nil {
			b.Fatalf("%v: %s", err, stderr.String())
		}
		until := cmd.told(b, start, whole)
		told += until
		after += whole - until
		cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		peak = max(peak, peakMemory(cmd.ProcessState))
		if n := benchCount(b, api); n != invoices {
			b.Fatalf("the platform took %d invoices in charge, not %d", n, invoices)
		}
		stop()
	}
	n := float64(b.N)
	rate := float64(invoices) * n / told.Seconds()
	b.ReportMetric(rate, "invoices/s")
	b.ReportMetric(after.Seconds()/n, "s-after") // registers, tidying
	b.ReportMetric(cpu/n, "cpu-s/op")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	b.ReportMetric(0, "ns/op")
	return rate
}

// told is how long after start the last status file was written.
func (c contender) told(b *testing.B, start time.Time, whole time.Duration) (last time.Duration) {
	if c.results == "" {
		return whole
	}
	files, err := filepath.Glob(filepath.Join(c.results, "status_*"))
	if err != nil || len(files) == 0 {
		b.Fatalf("no status files: %v", err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		last = max(last, info.ModTime().Sub(start))
	}
	return last
}

// benchExport is one CSV in the layout of benchMapping: invoices from (included) to
// to (not included).
type benchExport struct{ from, to, lines int }

func (e benchExport) write(w io.Writer) error {
	_, err := fmt.Fprintln(w, "number;date;client;siret;item;qty;price;vat;total")
	total := map[int]string{1: "12.60", 3: "85.20"}[e.lines]
	for i := e.from; i < e.to; i++ {
		for l := range e.lines {
			if err == nil {
				_, err = fmt.Fprintf(w, "B%06d;2026-11-02;Client %d;73282932000074;Article %d;%d;%d.50;20;%s\n",
					i, i%100, l, l+1, 10+l, total)
			}
		}
	}
	return err
}

// file keeps nothing in memory: the system takes the peak of a process for no less
// than what the one that started it had at that moment.
func (e benchExport) file(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(e.write(w), w.Flush(), f.Close())
}

const benchMapping = `
[match]
name = ["bench*.csv"]
[input]
format = "csv"
encoding = "utf-8"
delimiter = ";"
decimal = "."
date = "yyyy-mm-dd"
[invoice]
key = "number"
[invoice.fields]
document_number = "number"
issue_date = "date"
currency = { value = "EUR" }
recipient.name = "client"
recipient.fiscal_id = "siret"
recipient.address.country = { value = "FR" }
total_amount_including_tax = "total"
[lines.fields]
description = "item"
quantity = "qty"
unit_price = "price"
tax_rate = "vat"
tax_category = { value = "S" }
`

// benchSandbox starts a sandbox process with the company registered.
func benchSandbox(b *testing.B) (api string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	api = l.Addr().String()
	l.Close()
	cmd := exec.Command("einvoice", "sandbox", "--listen", api, "--scale", "1000")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	b.Cleanup(stop)
	body := `{"fiscal_id":"10000000900017","name":"Bench","customer_invoice":true,"supplier_invoice":false}`
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err = benchPost(http.DefaultClient, "http://"+api+"/FR-configurations", []byte(body)); err == nil {
			return api, stop
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

// benchAway makes the platform answer later.
func benchAway(b *testing.B, api string, away time.Duration) {
	fault := fmt.Sprintf(`{"kind":"slow","on":"POST /FR-invoices","delay":%q}`, away)
	resp, err := http.Post("http://"+api+"/sandbox/faults", "application/json", strings.NewReader(fault))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		b.Fatalf("slow sandbox: %s", resp.Status)
	}
}

func benchPost(c *http.Client, url string, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer bench")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	var known struct{ Data struct{ ID string } }
	return json.Unmarshal(answer, &known)
}

func benchCount(b *testing.B, api string) (n int) {
	resp, err := http.Get("http://" + api + "/sandbox/books")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	books := json.NewDecoder(resp.Body)
	for token := json.Token(nil); token != "documents"; { // then one at a time, see benchExport.file
		if token, err = books.Token(); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := books.Token(); err != nil { // [
		b.Fatal(err)
	}
	for books.More() {
		var document struct{ IDs []string }
		if err := books.Decode(&document); err != nil {
			b.Fatal(err)
		}
		n += len(document.IDs)
	}
	return n
}

// einvoiceProcess is a daemon that does what is due and ends.
func einvoiceProcess(b *testing.B, api string, exports map[string]benchExport) contender {
	dir := b.TempDir()
	_, err := initialise(dir, "en", frenchStarter, func(config string) string {
		for _, s := range [][3]string{
			{"api", "base_url", `"http://` + api + `"`}, {"drop", "complete", `"on-appearance"`},
			{"inbox.poll", "budget", "1"}, // the way back is not part of this measure
			{"log", "level", `"error"`},
			{"safety", "other_year", `"send"`}, // the export has the dates that it was written at
		} {
			config = setKey(config, s[0], s[1], s[2])
		}
		return config
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mappings", "bench.toml"), []byte(benchMapping), 0o644)
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, "mappings", "ventes.toml"))
	}
	for name, export := range exports {
		if err == nil {
			err = export.file(filepath.Join(dir, "drop", name))
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("einvoice", "run", "--once", "-c", filepath.Join(dir, "einvoice.toml"))
	cmd.Stdout = io.Discard
	return contender{cmd, filepath.Join(dir, "results")}
}

// rawProcess is the raw loop over so many connections.
func rawProcess(connections int) newContender {
	return func(b *testing.B, api string, exports map[string]benchExport) contender {
		path := filepath.Join(b.TempDir(), "bench.csv")
		if err := exports["bench.csv"].file(path); err != nil {
			b.Fatal(err)
		}
		return contender{Cmd: exec.Command("rawloop", path, "http://"+api+"/FR-invoices", strconv.Itoa(connections))}
	}
}

// rawLoop parses a CSV and posts each invoice, from as many workers as its last
// argument says. It is what a script without any promise would do.
func rawLoop() {
	workers, err := strconv.Atoi(os.Args[3])
	if err == nil {
		err = rawPost(os.Args[1], os.Args[2], workers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rawPost(path, url string, connections int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	bodies := make(chan []byte, 2*connections)
	failed := make(chan error, connections)
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for body := range bodies {
				if err := benchPost(client, url, body); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	err = rawRead(f, bodies)
	close(bodies)
	workers.Wait()
	select {
	case e := <-failed:
		return e
	default:
		return err
	}
}

func rawRead(f io.Reader, bodies chan<- []byte) error {
	r := csv.NewReader(f)
	r.Comma, r.ReuseRecord = ';', true
	if _, err := r.Read(); err != nil {
		return err
	}
	var inv rawInvoice
	flush := func() error {
		if inv.Number == "" {
			return nil
		}
		body, err := json.Marshal(inv.summed())
		bodies <- body
		return err
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		if rec[0] != inv.Number {
			if err := flush(); err != nil {
				return err
			}
			inv = rawInvoice{Number: rec[0], Type: "380", Date: rec[1], Currency: "EUR", Gross: json.Number(rec[8]),
				Sender: rawParty{Name: "Bench", FiscalID: "10000000900017", Address: rawAddress{"FR"}}, To: rawParty{rec[2], rec[3], rawAddress{"FR"}}}
		}
		net, err := cents(rec[6])
		if err != nil {
			return err
		}
		quantity, err := strconv.Atoi(rec[5])
		if err != nil {
			return err
		}
		inv.net += net * quantity
		inv.Lines = append(inv.Lines, rawLine{rec[4], json.Number(rec[5]), json.Number(rec[6]), json.Number(rec[7]), euros(net * quantity), "standard"})
	}
}

// rawInvoice is the same body that einvoice posts, so that the platform has as
// much to do for the one as for the other.
type rawInvoice struct {
	Number   string      `json:"document_number"`
	Type     string      `json:"type"`
	Date     string      `json:"issue_date"`
	Currency string      `json:"currency"`
	Net      json.Number `json:"total_amount_excluding_tax"`
	Tax      json.Number `json:"total_tax_amount"`
	Gross    json.Number `json:"total_amount_including_tax"`
	Sender   rawParty    `json:"sender"`
	To       rawParty    `json:"recipient"`
	Lines    []rawLine   `json:"invoice_lines"`
	Rates    []rawRate   `json:"tax_subtotals"`

	net int // cents
}

type rawParty struct {
	Name     string     `json:"name"`
	FiscalID string     `json:"fiscal_id"`
	Address  rawAddress `json:"address"`
}

type rawAddress struct {
	Country string `json:"country"`
}

type rawLine struct {
	Description string      `json:"description"`
	Quantity    json.Number `json:"quantity"`
	UnitPrice   json.Number `json:"unit_price"`
	TaxRate     json.Number `json:"tax_rate"`
	Net         json.Number `json:"total_net_amount"`
	Category    string      `json:"tax_category"`
}

type rawRate struct {
	Taxable  json.Number `json:"taxable_amount"`
	Tax      json.Number `json:"tax_amount"`
	Rate     json.Number `json:"vat_rate"`
	Category string      `json:"tax_category"`
}

// summed adds what follows from the lines, all of them at 20 %.
func (i rawInvoice) summed() rawInvoice {
	i.Net, i.Tax = euros(i.net), euros(i.net/5)
	i.Rates = []rawRate{{i.Net, i.Tax, "20", "standard"}}
	return i
}

func cents(amount string) (int, error) { return strconv.Atoi(strings.Replace(amount, ".", "", 1)) }

func euros(cents int) json.Number { return json.Number(fmt.Sprintf("%d.%02d", cents/100, cents%100)) }
