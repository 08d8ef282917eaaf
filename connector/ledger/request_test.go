package ledger

import (
	"strings"
	"testing"
	"time"
)

func (w *world) ask(verb string) *Asked {
	w.t.Helper()
	a, err := Ask(w.t.Context(), Config{Path: w.dir}, Request{Verb: verb, Args: map[string]string{"invoice": "F1"}, Who: "zoe@desk", AskedAt: w.clock.now()})
	w.ok(err)
	w.t.Cleanup(func() { _ = a.Close() })
	return a
}

func TestSecondProcessAsksAndGetsItsAnswer(t *testing.T) {
	w := newWorld(t)
	_, err := w.TakeRequest(t.Context())
	w.wantErr(err, ErrNotFound)
	asked := w.ask("release")
	q, err := w.TakeRequest(t.Context())
	w.ok(err)
	want(t, "verb", q.Verb+" "+q.Args["invoice"]+" "+q.Who, "release F1 zoe@desk")
	_, err = w.TakeRequest(t.Context())
	w.wantErr(err, ErrNotFound) // nobody does it twice
	if back, err := asked.Withdraw(t.Context()); err != nil || back {
		t.Errorf("taken back although it is being done: %v %v", back, err)
	}
	q.Answer, q.Code, q.Failure = "done\n", 6, "no"
	w.ok(w.AnswerRequest(t.Context(), q))
	got, err := asked.Answer(t.Context())
	w.ok(err)
	want(t, "answer", got.Answer+got.Failure, "done\nno")
	want(t, "exit code", got.Code, 6)
	want(t, "answered", got.DoneAt.IsZero(), false)
}

func TestRequestThatNobodyTookIsTakenBack(t *testing.T) {
	w := newWorld(t)
	asked := w.ask("release")
	back, err := asked.Withdraw(t.Context())
	w.ok(err)
	want(t, "taken back", back, true)
	_, err = w.TakeRequest(t.Context())
	w.wantErr(err, ErrNotFound)
}

// TestRestartSurprisesNobody: what was begun is not begun again, and what
// somebody gave up waiting for long ago is not done at all.
func TestRestartSurprisesNobody(t *testing.T) {
	w := newWorld(t)
	begun := w.ask("fetch")
	_, err := w.TakeRequest(t.Context())
	w.ok(err)
	old := w.ask("retry")
	w.clock.turn(requestLife + time.Second)
	fresh := w.ask("hold")
	w.ok(w.Close())
	w.open()
	for _, c := range []struct {
		name, want string
		asked      *Asked
	}{{"begun", "ended while it did this", begun}, {"old", "in time", old}, {"fresh", "", fresh}} {
		q, err := c.asked.Answer(t.Context())
		w.ok(err)
		if c.want == "" != q.DoneAt.IsZero() || !strings.Contains(q.Failure, c.want) {
			t.Errorf("%s: done %v, failure %q, want %q", c.name, q.DoneAt, q.Failure, c.want)
		}
	}
	q, err := w.TakeRequest(t.Context())
	w.ok(err)
	want(t, "left to do", q.Verb, "hold")
}
