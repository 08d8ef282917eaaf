package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/charmap"
)

// patience bounds every wait of a story for what a process does meanwhile.
const patience = 30 * time.Second

// setUpStory gives a story two free loopback ports, a neutral locale, a date that
// does not grow old, and no token of the machine's.
func setUpStory(env *testscript.Env) error {
	for _, name := range []string{"API", "CALLBACKS"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		env.Setenv(name, l.Addr().String())
		l.Close()
	}
	env.Setenv("LANG", "en_GB.UTF-8")
	env.Setenv("LC_ALL", "")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("TODAY", time.Now().Format("02/01/2006"))
	watchCanary(env)
	return nil
}

// storyCommands are the words that stories use besides testscript's own.
func storyCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"setup":       storySetup,
		"setkey":      storySetKey,
		"await":       storyAwait,
		"awaitout":    storyAwaitOut,
		"http":        storyHTTP,
		"books":       storyBooks,
		"platformid":  storyPlatformID,
		"cp1252":      storyCP1252,
		"breakutf8":   storyBreakUTF8,
		"see":         storySee,
		"count":       storyCount,
		"truncate":    storyTruncate,
		"rewrite":     storyRewrite,
		"grow":        storyGrow,
		"churn":       storyChurn,
		"invoices":    storyInvoices,
		"start":       storyStart,
		"end":         storyStop,
		"interrupt":   storyInterrupt,
		"ended":       storyEnded,
		"awaitstatus": storyAwaitStatus,
		"exitcode":    storyExitCode,
	}
}

// setup [key=value ...]: init in the work folder, English, quick waits, the API
// at $API. Each key=value sets section.key.
func storySetup(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(".")
	_, err := initialise(dir, "en", frenchStarter, func(config string) string {
		settings := [][3]string{
			{"api", "base_url", `"http://` + ts.Getenv("API") + `"`},
			{"drop", "settle", `"300ms"`},
			{"drop", "scan", `"200ms"`},
			{"drop", "complete", `"on-appearance"`},
			{"results", "status_every", `"1s"`},
			{"inbox.poll", "young", `"1s"`},
			{"inbox.poll", "list", `"1s"`},
			{"inbox.poll", "budget", "100000"},
			{"outbox", "lookups", `["200ms"]`},
			{"outbox", "retry_min", `"100ms"`},
			{"outbox", "retry_max", `"500ms"`},
			{"outbox", "probe", `"300ms"`},
			{"outbox", "proofs_over", `"500ms"`},
			{"api", "timeout", `"5s"`},
			{"", "shutdown_timeout", `"2s"`},
			{"safety", "other_year", `"send"`}, // stories have the dates that they were written at
			{"log", "format", `"json"`},
			{"admin", "enabled", "false"},
		}
		for _, s := range settings {
			config = setKey(config, s[0], s[1], s[2])
		}
		return config
	})
	ts.Check(err)
	for _, name := range []string{"classeur.toml", "lot.toml"} {
		data, err := starter.ReadFile("starter/" + name)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, "mappings", name), data, 0o644))
	}
	for _, name := range []string{"ventes_novembre.csv", "lot_2026-11.xml"} {
		data, err := starter.ReadFile("starter/" + name)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	ts.Check(os.WriteFile(filepath.Join(dir, "token.txt"), []byte(canary+"\n"), 0o600))
	book, err := workbook()
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "prestations.xlsx"), book, 0o644))
}

// setkey SECTION KEY VALUE changes the configuration; section "top" is the top.
func storySetKey(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: setkey section key value")
	}
	path := ts.MkAbs("einvoice.toml")
	data, err := os.ReadFile(path)
	ts.Check(err)
	section := strings.TrimPrefix(args[0], "top")
	changed := setKey(string(data), section, args[1], args[2])
	if changed == string(data) {
		ts.Fatalf("setkey: no key %s in [%s]", args[1], section)
	}
	ts.Check(os.WriteFile(path, []byte(changed), 0o640))
}

// await GLOB [REGEXP]: wait until a file of that name exists (and some such
// file matches the expression). "! await" wants none after a moment.
func storyAwait(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: await glob [regexp]")
	}
	var re *regexp.Regexp
	if len(args) > 1 {
		re = regexp.MustCompile("(?m)" + args[1])
	}
	wait := patience
	if neg {
		wait = time.Second
	}
	for end := time.Now().Add(wait); ; time.Sleep(50 * time.Millisecond) {
		found := matching(ts, args[0], re)
		if found && neg {
			ts.Fatalf("%s is there", args)
		}
		if found {
			return
		}
		if time.Now().After(end) {
			if neg {
				return
			}
			ts.Fatalf("waited %s for %q; there is: %s", wait, args, strings.Join(tree(ts.MkAbs(".")), "\n  "))
		}
	}
}

func matching(ts *testscript.TestScript, glob string, re *regexp.Regexp) bool {
	paths, err := filepath.Glob(ts.MkAbs(glob))
	ts.Check(err)
	for _, p := range paths {
		if re == nil {
			return true
		}
		if data, err := os.ReadFile(p); err == nil && re.Match(data) {
			return true
		}
	}
	return false
}

func tree(dir string) (list []string) {
	_ = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && !strings.Contains(path, "data/") {
			list = append(list, path)
		}
		return nil
	})
	return list
}

// http METHOD PATH [BODY] calls the API at $API and keeps the answer in "answer".
func storyHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: http method path [body]")
	}
	body := ""
	if len(args) > 2 {
		body = args[2]
	}
	answer, err := call(ts, args[0], args[1], body)
	if (err != nil) != neg {
		ts.Fatalf("http %s: %v %s", args, err, answer)
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o644))
}

func call(ts *testscript.TestScript, method, path, body string) ([]byte, error) {
	if !strings.HasPrefix(path, "http://") {
		path = "http://" + ts.Getenv("API") + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer sandbox")
	var resp *http.Response
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if resp, err = http.DefaultClient.Do(req); err == nil || time.Now().After(end) {
			break
		}
		req.Body = io.NopCloser(strings.NewReader(body))
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s", resp.Status)
	}
	return data, err
}

// books NUMBER N: wait until the platform took the number in charge N times
// with no more to come; "books total N" counts documents.
func storyBooks(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: books number n")
	}
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		data, err := call(ts, "GET", "/sandbox/books", "")
		ts.Check(err)
		if last = booked(ts, data, args[0]); last == args[1] {
			return
		}
	}
	ts.Fatalf("the platform has %s of %s, not %s", last, args[0], args[1])
}

func booked(ts *testscript.TestScript, data []byte, number string) string {
	return fmt.Sprint(len(idsOf(ts, data, number)))
}

// idsOf are the platform's ids of a number, or of all ("total").
func idsOf(ts *testscript.TestScript, data []byte, number string) (ids []string) {
	var books struct {
		Documents []struct {
			Number string
			IDs    []string
		}
	}
	var envelope struct{ Data json.RawMessage }
	if json.Unmarshal(data, &envelope) == nil && len(envelope.Data) > 0 {
		data = envelope.Data
	}
	ts.Check(json.Unmarshal(data, &books))
	for _, d := range books.Documents {
		if d.Number == number || number == "total" {
			ids = append(ids, d.IDs...)
		}
	}
	return ids
}

// platformid NUMBER: put the platform's id of an invoice into $ID, as its portal
// shows it.
func storyPlatformID(ts *testscript.TestScript, neg bool, args []string) {
	data, err := call(ts, "GET", "/sandbox/books", "")
	ts.Check(err)
	ids := idsOf(ts, data, args[0])
	if len(ids) != 1 {
		ts.Fatalf("%s has the ids %v", args[0], ids)
	}
	ts.Setenv("ID", ids[0])
}

// cp1252 FILE...: recode files from UTF-8, as scripts are written in.
func storyCP1252(ts *testscript.TestScript, neg bool, args []string) {
	for _, a := range args {
		data, err := os.ReadFile(ts.MkAbs(a))
		ts.Check(err)
		data, err = charmap.Windows1252.NewEncoder().Bytes(data)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(a), data, 0o644))
	}
}

// see GLOB: put the content of all such files, in order of name, into "seen".
func storySee(ts *testscript.TestScript, neg bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	sort.Strings(paths)
	var all bytes.Buffer
	for _, p := range paths {
		data, err := os.ReadFile(p)
		ts.Check(err)
		all.Write(data)
	}
	ts.Check(os.WriteFile(ts.MkAbs("seen"), all.Bytes(), 0o644))
}

// count GLOB N: exactly N files have such a name.
func storyCount(ts *testscript.TestScript, neg bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if (fmt.Sprint(len(paths)) == args[1]) == neg {
		ts.Fatalf("%d files match %s: %v", len(paths), args[0], paths)
	}
}

// truncate FILE LINES: keep the first lines of a file, cut at a row boundary.
func storyTruncate(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	var n int
	_, err = fmt.Sscan(args[1], &n)
	ts.Check(err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Join(lines[:n], nil), 0o644))
}

// rewrite FILE OLD NEW: replace a text in a file, through a rename.
func storyRewrite(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[1])) {
		ts.Fatalf("rewrite: no %q in %s", args[1], args[0])
	}
	data = bytes.ReplaceAll(data, []byte(args[1]), []byte(args[2]))
	ts.Check(os.WriteFile(path+".tmp", data, 0o644))
	ts.Check(os.Rename(path+".tmp", path))
}

// grow SOURCE TARGET PIECES: write a file as a slow ERP does, in pieces with a
// pause between them; no acknowledgement may appear before the end.
func storyGrow(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	var pieces int
	_, err = fmt.Sscan(args[2], &pieces)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	for i := range pieces {
		_, err := f.Write(data[len(data)*i/pieces : len(data)*(i+1)/pieces])
		ts.Check(err)
		if acks, _ := filepath.Glob(ts.MkAbs("results/*.ack.csv")); len(acks) > 0 {
			ts.Fatalf("read after %d of %d pieces: %v", i+1, pieces, acks)
		}
		time.Sleep(150 * time.Millisecond)
	}
}

// churn FILE N: replace a file N times by a version with one invoice more, as
// fast as a restless ERP, through renames.
func storyChurn(ts *testscript.TestScript, neg bool, args []string) {
	var n int
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	content := "number;date;client;siret;item;qty;price;vat\n"
	for i := range n {
		content += fmt.Sprintf("J-%04d;2026-11-02;Client;20000000800017;Vis;1;10.00;20\n", i+1)
		ts.Check(os.WriteFile(path+".tmp", []byte(content), 0o644))
		ts.Check(os.Rename(path+".tmp", path))
		time.Sleep(time.Duration(i%7) * 5 * time.Millisecond)
	}
}

// invoices FILE PREFIX N: write an export of N invoices, PREFIX-0001 and so on.
func storyInvoices(ts *testscript.TestScript, neg bool, args []string) {
	var n int
	_, err := fmt.Sscan(args[2], &n)
	ts.Check(err)
	content := "number;date;client;siret;item;qty;price;vat\n"
	for i := range n {
		content += fmt.Sprintf("%s-%04d;2026-11-02;Client;20000000800017;Vis;1;10.00;20\n", args[1], i+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(content), 0o644))
}

// breakutf8 FILE: put a byte that is not UTF-8 where the file says @BROKEN@.
func storyBreakUTF8(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(data, []byte("@BROKEN@"), []byte{0xc9}, 1), 0o644))
}

// exitcode N COMMAND...: the command ends with exactly this code.
func storyExitCode(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, not %s", got, args[0])
	}
}

// start NAME ARGS...: run einvoice in the background, its output in NAME.out.
func storyStart(ts *testscript.TestScript, neg bool, args []string) {
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	path, err := exec.LookPath("einvoice")
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), out, out
	cmd.Env = append(os.Environ(), "LANG=en_GB.UTF-8", "HOME="+ts.MkAbs("."))
	ts.Check(cmd.Start())
	running.Store(ts.MkAbs(args[0]), cmd)
	ts.Defer(func() {
		end(cmd, os.Kill)
		out.Close()
	})
}

// running has the processes that stories started, by path of their name.
var running sync.Map

// end [-KILL] NAME: interrupt or kill a started process and wait for its end.
func storyStop(ts *testscript.TestScript, neg bool, args []string) {
	sig := os.Interrupt
	if args[0] == "-KILL" {
		sig, args = os.Kill, args[1:]
	}
	cmd, ok := running.Load(ts.MkAbs(args[0]))
	if !ok {
		ts.Fatalf("end: nothing called %s was started", args[0])
	}
	end(cmd.(*exec.Cmd), sig)
}

// interrupt NAME: send an interrupt to a started process and go on.
func storyInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	cmd, ok := running.Load(ts.MkAbs(args[0]))
	if !ok {
		ts.Fatalf("interrupt: nothing called %s was started", args[0])
	}
	ts.Check(cmd.(*exec.Cmd).Process.Signal(os.Interrupt))
}

// ended NAME SECONDS: the started process ends by itself within that time.
func storyEnded(ts *testscript.TestScript, neg bool, args []string) {
	cmd, ok := running.Load(ts.MkAbs(args[0]))
	if !ok {
		ts.Fatalf("ended: nothing called %s was started", args[0])
	}
	var seconds int
	_, err := fmt.Sscan(args[1], &seconds)
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		_ = cmd.(*exec.Cmd).Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Duration(seconds) * time.Second):
		ts.Fatalf("%s still runs after %d s", args[0], seconds)
	}
}

// awaitstatus REGEXP: wait until status, followed by status --json, matches.
func storyAwaitStatus(ts *testscript.TestScript, neg bool, args []string) {
	re := regexp.MustCompile(args[0])
	path, err := exec.LookPath("einvoice")
	ts.Check(err)
	var out []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		out = nil
		for _, args := range [][]string{{"status"}, {"status", "--json"}} {
			cmd := exec.Command(path, args...)
			cmd.Dir = ts.MkAbs(".")
			text, err := cmd.Output()
			if err != nil {
				text = nil
			}
			out = append(out, text...)
		}
		if re.Match(out) {
			return
		}
	}
	ts.Fatalf("status never matched %q, last: %s", args[0], out)
}

// end signals a process unless it has ended already, and waits for it.
func end(cmd *exec.Cmd, sig os.Signal) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Signal(sig)
		_ = cmd.Wait()
	}
}

// awaitout NAME REGEXP: wait until the output of a started process matches.
func storyAwaitOut(ts *testscript.TestScript, neg bool, args []string) {
	storyAwait(ts, neg, []string{args[0] + ".out", args[1]})
}
