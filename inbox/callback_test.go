package inbox

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// ring posts a body to the address registered for an event.
func (w *world) ring(event, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, w.CallbackURL("https://erp.example", acme.ID, event), strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for k, v := range w.Headers() {
		r.Header.Set(k, v)
	}
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

func about(id string) string {
	return fmt.Sprintf(`{"data":{"id":%q,"state":"DONE","document_number":"F-1"},"custom":null}`, id)
}

// files counts what is stored below a folder.
func files(t *testing.T, root string) (n int) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// untouchable fails the test when the body is read.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body of a forged call was read")
	return 0, io.EOF
}

func TestAForgedCallCostsNothing(t *testing.T) {
	w := newWorld(t)
	right := w.CallbackURL("", acme.ID, EventCustomer)
	tests := []struct {
		name, path, method, header string
		want                       int
	}{
		{"wrong path", "/callback/0123456789abcdef0123456789abcdef", "POST", "right", 404},
		{"no path", "/", "POST", "right", 404},
		{"half a path", right[:len(right)-1], "POST", "right", 404},
		{"more than the path", right + "/x", "POST", "right", 404},
		{"no header", right, "POST", "", 401},
		{"wrong header", right, "POST", "wrong", 401},
		{"the secret itself is not the header", right, "POST", "secret", 401},
		{"wrong header and method", right, "GET", "wrong", 401},
		{"wrong method", right, "GET", "right", 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "https://erp.example"+tt.path, untouchable{t})
			switch tt.header {
			case "right":
				r.Header.Set("X-Einvoice-Secret", w.Headers()["X-Einvoice-Secret"])
			case "secret":
				r.Header.Set("X-Einvoice-Secret", testSecret)
			case "wrong":
				r.Header.Set("X-Einvoice-Secret", strings.Repeat("0", 32))
			}
			rec := httptest.NewRecorder()
			w.Handler().ServeHTTP(rec, r)
			if rec.Code != tt.want || rec.Body.Len() != 0 {
				t.Errorf("answered %d %q, want %d and nothing", rec.Code, rec.Body, tt.want)
			}
		})
	}
	due, err := w.ledger.CallbacksDue(w.ctx, 10)
	w.must(err)
	if len(due) != 0 || files(t, filepath.Join(w.state, "blobs")) != 0 || w.platform.calls() != 0 {
		t.Errorf("forged calls left %d callbacks, %d blobs, %d GETs", len(due), files(t, filepath.Join(w.state, "blobs")), w.platform.calls())
	}
}

func TestEachCompanyAndEventHasItsOwnAddress(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for _, c := range []string{acme.ID, other.ID} {
		for _, e := range []string{EventCustomer, EventSupplier} {
			seen[w.CallbackURL("https://erp.example/", c, e)] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d addresses for two companies and two events", len(seen))
	}
	for u := range seen {
		if strings.Contains(u, testSecret) || strings.Contains(u, "//callback") {
			t.Errorf("bad address %s", u)
		}
	}
}

func TestABodyThatCannotBeReadBackIsAskedForAgain(t *testing.T) {
	w := newWorld(t)
	taken := true
	w.opt.Now = func() time.Time {
		if taken { // by an antivirus, as soon as it is written
			w.must(os.RemoveAll(filepath.Join(w.state, "blobs")))
			w.must(os.MkdirAll(filepath.Join(w.state, "blobs"), 0o755))
		}
		return w.clock
	}
	w.restart()
	if rec := w.ring(EventCustomer, about("id1")); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d, although nobody knows what it was about", rec.Code)
	}
	taken = false
	if rec := w.ring(EventCustomer, about("id1")); rec.Code != http.StatusOK {
		t.Errorf("answered %d", rec.Code)
	}
	due, err := w.ledger.CallbacksDue(w.ctx, 10)
	w.must(err)
	if len(due) != 1 || due[0].APIID != "id1" {
		t.Errorf("recorded %+v", due)
	}
}

func TestTheFormerSecretStaysValidWhileItIsReplaced(t *testing.T) {
	w := newWorld(t)
	url, header := w.CallbackURL("https://erp.example", acme.ID, EventCustomer), w.Headers()
	previous := filepath.Join(t.TempDir(), "previous")
	w.must(os.WriteFile(previous, []byte(testSecret+"\n"), 0o600))
	t.Setenv("TEST_EINVOICE_CALLBACK", strings.Repeat("new secret ", 4))
	w.cfg.Callback.PreviousSecretFile = previous
	w.restart()
	if w.CallbackURL("https://erp.example", acme.ID, EventCustomer) == url {
		t.Fatal("the address did not change with the secret")
	}
	old := func(r *http.Request) {
		r.URL.Path = strings.TrimPrefix(url, "https://erp.example")
		r.Header.Set("X-Einvoice-Secret", header["X-Einvoice-Secret"])
	}
	if rec := w.ring(EventCustomer, about("a"), old); rec.Code != 200 {
		t.Errorf("a call with the former secret was answered %d", rec.Code)
	}
	mixed := func(r *http.Request) { r.Header.Set("X-Einvoice-Secret", header["X-Einvoice-Secret"]) }
	if rec := w.ring(EventCustomer, about("a"), mixed); rec.Code != 401 {
		t.Errorf("the new path with the former header was answered %d", rec.Code)
	}
}

func TestAShortSecretIsRefused(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TEST_EINVOICE_CALLBACK", "short")
	if _, err := New(w.cfg, w.opt); err == nil || strings.Contains(err.Error(), "short;") {
		t.Errorf("got %v", err)
	}
}

func TestTheAnswerIs200OnlyOnceTheCallIsRecorded(t *testing.T) {
	w := newWorld(t)
	if rec := w.ring(EventCustomer, about("a")); rec.Code != 200 {
		t.Fatalf("answered %d", rec.Code)
	}
	due, err := w.ledger.CallbacksDue(w.ctx, 10)
	w.must(err)
	if len(due) != 1 || due[0].APIID != "a" || due[0].Company != acme.ID || due[0].Event != EventCustomer {
		t.Fatalf("recorded %+v", due)
	}
	body, err := w.blob(due[0].BodySHA256)
	w.must(err)
	if string(body) != about("a") {
		t.Errorf("stored %q", body)
	}
	w.must(w.ledger.Close())
	if rec := w.ring(EventCustomer, about("b")); rec.Code != 503 {
		t.Errorf("a call that could not be recorded was answered %d", rec.Code)
	}
}

func TestALargeBodyIsRefused(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Callback.MaxBodyMiB = 1 })
	large := strings.Repeat("x", 1<<20+1)
	if rec := w.ring(EventCustomer, large); rec.Code != 413 {
		t.Errorf("announced: answered %d", rec.Code)
	}
	if rec := w.ring(EventCustomer, large, func(r *http.Request) { r.ContentLength = -1 }); rec.Code != 413 {
		t.Errorf("streamed: answered %d", rec.Code)
	}
}

func TestABodyThatBreaksOffIsNotStored(t *testing.T) {
	w := newWorld(t)
	cut := func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"data"`), broken{})) }
	if rec := w.ring(EventCustomer, "", cut); rec.Code != 400 {
		t.Errorf("answered %d", rec.Code)
	}
	if n := files(t, filepath.Join(w.state, "blobs")); n != 0 {
		t.Errorf("%d files left in the blob store", n)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestACallThatNamesNoInvoiceIsTakenAndDropped(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{"hello":1}`, "", "\x00\xff"} {
		if rec := w.ring(EventCustomer, body); rec.Code != 200 {
			t.Errorf("%q answered %d: the platform would call for ever", body, rec.Code)
		}
	}
	w.must(w.answerCallbacks(w.ctx))
	if settled, err := w.Settled(w.ctx); err != nil || !settled || len(w.platform.gets) != 0 {
		t.Errorf("settled %v, %v, GETs %v", settled, err, w.platform.gets)
	}
}

func TestTheSameCallTwiceIsOneLook(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateDone}))
	for range 2 {
		w.ring(EventCustomer, about("id1"))
		w.ring(EventCustomer, `{"data":{"id":"id1","state":"SENT"}}`)
	}
	w.must(w.answerCallbacks(w.ctx))
	if got := w.found("F-1").Status.State; got != connector.StateDone {
		t.Errorf("state %s", got)
	}
	if len(w.platform.gets) != 1 {
		t.Errorf("GETs %v, want one for all four calls", w.platform.gets)
	}
	w.ring(EventCustomer, about("id1"))
	w.must(w.answerCallbacks(w.ctx))
	if n := strings.Count(strings.Join(w.journal, "\n"), "status F-1"); n != 1 {
		t.Errorf("%d changes for one status: %v", n, w.journal)
	}
}

func TestAForgedStateInAnAuthenticCallIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateSent, External: "issued"}))
	w.ring(EventCustomer, `{"data":{"id":"id1","state":"ERROR","details":{"external_status":"refused"}}}`)
	w.must(w.answerCallbacks(w.ctx))
	if got := w.found("F-1").Status; got.State != connector.StateSent || got.External != "issued" {
		t.Errorf("status %+v: the call was taken at its word", got)
	}
}

func TestTrustTakesACallAtItsWord(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Callback.Verify = verifyTrust })
	w.outgoing("F-1", ledger.Sent, "id1")
	w.ring(EventCustomer, `{"data":{"id":"id1","state":"DONE","document_number":"F-1","details":{"external_status":"martian"}}}`)
	w.must(w.answerCallbacks(w.ctx))
	if got := w.found("F-1").Status; got.State != connector.StateDone || got.External != "martian" {
		t.Errorf("status %+v", got)
	}
	if w.platform.calls() != 0 {
		t.Errorf("%d calls although callbacks are trusted", w.platform.calls())
	}
}

func TestACallForAnUnsentInvoiceAdoptsItsID(t *testing.T) {
	// Queued: a gateway said "later" and had passed it on. Held: nothing proved anything.
	for _, state := range []ledger.State{ledger.Uncertain, ledger.Sending, ledger.Queued, ledger.Held} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.outgoing("F-1", state, "")
			w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateSent}))
			w.ring(EventCustomer, about("id1"))
			w.must(w.answerCallbacks(w.ctx))
			got := w.found("F-1")
			if got.State != ledger.Sent || got.APIID != "id1" || got.Status.State != connector.StateSent {
				t.Errorf("invoice is %s under id %q with %s", got.State, got.APIID, got.Status.State)
			}
		})
	}
}

func TestWhatIsToBeSentAgainIsNotTakenForTheInadmissibleOne(t *testing.T) {
	for state, want := range map[ledger.State]ledger.State{ledger.Queued: ledger.Queued, ledger.Uncertain: ledger.Sent} {
		w := newWorld(t)
		w.outgoing("F-1", state, "")
		w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateError, Code: 501}))
		w.ring(EventCustomer, about("id1"))
		w.must(w.answerCallbacks(w.ctx))
		if got := w.found("F-1"); got.State != want {
			t.Errorf("%s invoice became %s", state, got.State)
		}
	}
}

func TestAnotherTotalUnderOurNumberIsNotAdopted(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Uncertain, "")
	r := issued("id1", "F-1", connector.Status{State: connector.StateSent})
	r.Invoice.Totals.Gross = connector.MustAmount("61.21")
	w.platform.put(r)
	w.ring(EventCustomer, about("id1"))
	w.must(w.answerCallbacks(w.ctx))
	if got := w.found("F-1"); got.State != ledger.Uncertain {
		t.Errorf("invoice is %s under id %q", got.State, got.APIID)
	}
}

// TestOfTwoAtThePlatformNoneIsAdopted: a person was asked which of them it is, or
// what becomes of the other; to take the first that a list shows withdraws the question.
func TestOfTwoAtThePlatformNoneIsAdopted(t *testing.T) {
	for _, code := range []string{"E5009", "E5104"} {
		w := newWorld(t)
		id := w.outgoing("F-1", ledger.Uncertain, "")
		w.must(w.ledger.Settle(w.ctx, []ledger.Outcome{{ID: id, State: ledger.Held, Problems: []problem.Problem{{Code: code, Severity: problem.Hold}}}}))
		w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateSent}))
		w.platform.put(issued("id2", "F-1", connector.Status{State: connector.StateSent}))
		w.pass(time.Hour)
		w.rounds(1)
		if got := w.found("F-1"); got.State != ledger.Held {
			t.Errorf("%s: invoice is %s under id %q", code, got.State, got.APIID)
		}
	}
}

func TestACallThatCannotBeCheckedWaits(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "id1")
	w.platform.put(issued("id1", "F-1", connector.Status{State: connector.StateDone}))
	w.platform.fail["id1"] = errAway
	w.ring(EventCustomer, about("id1"))
	w.must(w.answerCallbacks(w.ctx))
	w.must(w.answerCallbacks(w.ctx))
	if len(w.platform.gets) != 1 {
		t.Errorf("GETs %v: a failure must be given time", w.platform.gets)
	}
	delete(w.platform.fail, "id1")
	w.pass(time.Minute)
	w.must(w.answerCallbacks(w.ctx))
	if got := w.found("F-1").Status.State; got != connector.StateDone {
		t.Errorf("state %s after the platform came back", got)
	}
}

func TestUnknownIDsAreAskedForSlowly(t *testing.T) {
	w := newWorld(t)
	for i := range 100 {
		w.ring(EventSupplier, about(fmt.Sprintf("unknown-%d", i)))
	}
	w.must(w.answerCallbacks(w.ctx))
	if n := len(w.platform.gets); n == 0 || n > unknownBurst {
		t.Errorf("%d GETs at once for ids that nobody knows", n)
	}
	for range 100 {
		w.pass(time.Minute)
		w.must(w.answerCallbacks(w.ctx))
	}
	if n := len(w.platform.gets); n != 100 {
		t.Errorf("%d GETs for 100 unknown ids, want one each", n)
	}
}

func TestOneOutageDoesNotHammerThePlatform(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		id := fmt.Sprintf("id%d", i)
		w.outgoing(fmt.Sprintf("F-%d", i), ledger.Sent, id)
		w.platform.fail[id] = errAway
		w.ring(EventCustomer, about(id))
	}
	w.must(w.answerCallbacks(w.ctx))
	if n := len(w.platform.gets); n != outageRow {
		t.Errorf("%d GETs while the platform is away, want %d", n, outageRow)
	}
}

// TestThePlatformIsLeftAloneForAsLongAsItAsks, from the first time on.
func TestThePlatformIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		id := fmt.Sprintf("id%d", i)
		w.outgoing(fmt.Sprintf("F-%d", i), ledger.Sent, id)
		w.platform.fail[id] = &api.Error{Fate: api.Later, Scope: api.ScopeCredential, HTTP: 429, RetryAfter: 2 * time.Hour}
		w.ring(EventCustomer, about(id))
	}
	for _, step := range []struct {
		pass time.Duration
		gets int
	}{{0, 1}, {119 * time.Minute, 1}, {time.Minute, 2}} {
		w.pass(step.pass)
		w.must(w.answerCallbacks(w.ctx))
		if n := len(w.platform.gets); n != step.gets {
			t.Errorf("%d GETs %s later, want %d", n, step.pass, step.gets)
		}
	}
}

// TestACallRecordedBeforeACrashIsProcessedAfterIt: the 200 was a promise.
func TestACallRecordedBeforeACrashIsProcessedAfterIt(t *testing.T) {
	w := newWorld(t)
	w.outgoing("F-1", ledger.Sent, "out1")
	w.platform.put(issued("out1", "F-1", connector.Status{State: connector.StateDone, External: "approved", Code: 205}))
	if rec := w.ring(EventCustomer, about("out1")); rec.Code != http.StatusOK {
		t.Fatalf("answered %d", rec.Code)
	}
	w.restart()
	w.rounds(1)
	if got := w.found("F-1").Status.Code; got != 205 {
		t.Errorf("status %d after the restart, want 205", got)
	}
}

// TestACallOf64MiBIsTaken has the largest body that is allowed, and one that is
// a little larger.
func TestACallOf64MiBIsTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 64 MiB")
	}
	w := newWorld(t)
	const head, tail = `{"data":{"id":"in1","attachments":[{"filename":"a.pdf","document":"`, `"}]}}`
	post := func(size int64) int {
		fill := size - int64(len(head)+len(tail))
		rec := w.ring(EventSupplier, "", func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(head), io.LimitReader(letters{}, fill), strings.NewReader(tail)))
			r.ContentLength = -1
		})
		return rec.Code
	}
	if code := post(64 << 20); code != http.StatusOK {
		t.Errorf("64 MiB: answered %d", code)
	}
	if code := post(64<<20 + 1); code != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte more: answered %d", code)
	}
	due, err := w.ledger.CallbacksDue(w.ctx, 9)
	w.must(err)
	if len(due) != 1 || due[0].APIID != "in1" {
		t.Errorf("recorded %+v", due)
	}
}

// letters are base64 without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}
