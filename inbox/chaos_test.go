package inbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// TestCallbacksInAnyOrderEndAsIfNothingWentWrong loses, repeats, shuffles and
// forges calls, and compares the end with a run in which each came once.
// EINVOICE_CHAOS is the number of calls.
func TestCallbacksInAnyOrderEndAsIfNothingWentWrong(t *testing.T) {
	calls, err := strconv.Atoi(os.Getenv("EINVOICE_CHAOS"))
	if err != nil {
		calls = 200
	}
	guests := max(20, calls/4) // each is announced four times
	calm, storm := newGathering(t, guests), newGathering(t, guests)
	for i := range guests {
		calm.call(i, 0)
	}
	calm.settle()

	// Of every ten calls two are lost and one comes from somebody else; three of
	// ten that arrive, arrive twice.
	r := rand.New(rand.NewPCG(20260514, 5))
	order := r.Perm(calls)
	list := make([]func(), 0, calls*2)
	lost, forged, repeated := calls*20/100, calls*10/100, calls*30/100
	for n, k := range order {
		i := k % guests
		switch {
		case n < lost:
		case n < lost+forged:
			list = append(list, func() { storm.forge(k) }, func() { storm.call(i, k) })
		default:
			list = append(list, func() { storm.call(i, k) })
		}
		if n >= calls-repeated {
			list = append(list, func() { storm.call(i, k) })
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	t.Logf("%d calls about %d invoices: %d lost, %d forged beside them, %d repeated, %d made in all", calls, guests, lost, forged, repeated, len(list))
	for k, call := range list {
		call()
		if k%200 == 199 {
			storm.rounds(1)
		}
	}
	storm.settle()

	if got, want := storm.statuses(), calm.statuses(); !slices.Equal(got, want) {
		t.Errorf("statuses\n%v\nwithout faults\n%v", got, want)
	}
	if got, want := storm.files(), calm.files(); !slices.Equal(got, want) {
		t.Errorf("tree\n%s\nwithout faults\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, id := range storm.platform.gets {
		if strings.HasPrefix(id, "forged") {
			t.Fatalf("a forged call was followed: %s", id)
		}
	}
}

// gathering is a world with invoices at the platform, half of them our own, half
// suppliers'.
type gathering struct {
	*world
	guests int
}

func newGathering(t *testing.T, guests int) gathering {
	w := gathering{newWorld(t, func(c *Config) { c.Poll.Budget = 1 << 20 }), guests}
	for i := range guests {
		id := fmt.Sprint("id", i)
		if i%2 == 1 {
			w.platform.put(supplied(id, fmt.Sprint("S-", i)))
			continue
		}
		number := fmt.Sprint("F-", i)
		w.outgoing(number, ledger.Sent, id)
		w.platform.put(issued(id, number, connector.Status{State: connector.StateDone, External: "code", Code: 203 + i%8}))
	}
	return w
}

func (w gathering) call(i, k int) {
	event := EventCustomer
	if i%2 == 1 {
		event = EventSupplier
	}
	rec := w.ring(event, fmt.Sprintf(`{"data":{"id":"id%d","state":"DONE"},"custom":%d}`, i, k))
	if rec.Code != http.StatusOK {
		w.t.Fatalf("call %d: %d", k, rec.Code)
	}
}

func (w gathering) forge(k int) {
	rec := w.ring(EventSupplier, fmt.Sprintf(`{"data":{"id":"forged%d"}}`, k), func(r *http.Request) {
		if k%20 == 3 {
			r.URL.Path += "0"
			return
		}
		r.Header.Set(w.cfg.Callback.Header, strings.Repeat("f", 64))
	})
	if rec.Code == http.StatusOK {
		w.t.Fatalf("a forged call was answered 200")
	}
}

// settle lets polling find what nobody announced.
func (w gathering) settle() {
	for range 4 {
		w.rounds(1)
		w.pass(time.Hour)
	}
	for range 500 { // a round takes so many calls, not all
		settled, err := w.Settled(w.ctx)
		w.must(err)
		if settled {
			return
		}
		w.rounds(1)
		w.pass(time.Minute)
	}
	w.t.Fatal("never settled")
}

func (w gathering) statuses() (list []string) {
	for i := 0; i < w.guests; i += 2 {
		own := w.found(fmt.Sprint("F-", i))
		list = append(list, fmt.Sprint(own.Key.Number, " ", own.Status.State, " ", own.Status.Code))
	}
	return list
}
