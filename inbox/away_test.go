package inbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

// moody is a tree whose moves and writes go wrong when it says so.
type moody struct {
	Tree
	refuse func(verb, name string) error
}

func (m *moody) Move(ctx context.Context, from, to string) error {
	if err := m.refuse("move", from); err != nil {
		return err
	}
	return m.Tree.Move(ctx, from, to)
}

func (m *moody) MakeAll(ctx context.Context, name string) error {
	if err := m.refuse("make", name); err != nil {
		return err
	}
	return m.Tree.MakeAll(ctx, name)
}

// refusing gives every company a moody tree.
func (w *world) refusing(refuse func(verb, name string) error) {
	w.opt.Tree = func(id string) Tree { return &moody{folder{filepath.Join(w.root, id), 0o640}, refuse} }
	w.restart()
}

var errHeld = errors.New("held by another program")

func TestACompanyWhoseCredentialIsAwayStarvesNoOther(t *testing.T) {
	w := newWorld(t)
	away := &platform{fail: map[string]error{"list": errAway}}
	w.opt.Account = func(id string) Platform {
		if id == other.ID {
			return away
		}
		return w.platform
	}
	w.restart()
	for i := range atOnce + 1 {
		id := fmt.Sprint("o", i)
		away.fail[id] = errAway
		_, err := w.ledger.SeeReceived(w.ctx, other.ID, id)
		w.must(err)
	}
	w.arrive(supplied("in1", "S-1"))
	w.rounds(1)
	if got := w.received(ledger.ReceivedDelivered); len(got) != 1 {
		t.Errorf("%d supplier invoices delivered, want that of the company whose credential works", len(got))
	}
}

func TestATreeThatIsAwayIsLeftAloneUntilTheNextRound(t *testing.T) {
	w, tries := newWorld(t), 0
	down := true
	w.refusing(func(verb, name string) error {
		if !down || verb != "make" || strings.HasPrefix(name, buildPrefix) {
			return nil
		}
		tries++
		return fmt.Errorf("no answer: %w", drop.ErrBusy)
	})
	for i := range 3 * outageRow {
		w.arrive(supplied(fmt.Sprint("in", i), fmt.Sprint("S-", i)))
	}
	if err := w.Round(w.ctx); !errors.Is(err, drop.ErrBusy) {
		t.Fatalf("round: %v", err)
	}
	if tries != outageRow {
		t.Errorf("%d tries in one round, each of which may last until its deadline; want %d", tries, outageRow)
	}
	down = false
	w.rounds(1)
	if got := w.received(ledger.ReceivedDelivered); len(got) != 3*outageRow {
		t.Errorf("%d delivered after the outage", len(got))
	}
}

// heldBack is a world with an invoice that is built and cannot be moved to its
// place until held is false.
func heldBack(t *testing.T) (w *world, held *bool) {
	t.Helper()
	w, held = newWorld(t), new(bool)
	*held = true
	w.refusing(func(verb, _ string) error {
		if *held && verb == "move" {
			return errHeld
		}
		return nil
	})
	w.arrive(supplied("in1", "S-1"))
	if err := w.Round(w.ctx); !errors.Is(err, errHeld) {
		t.Fatalf("round: %v", err)
	}
	return w, held
}

func TestAMonthThatStaffMovedAwayIsMadeAgain(t *testing.T) {
	w, held := heldBack(t)
	month := filepath.Join(w.root, acme.ID, "2026-05")
	w.must(os.Rename(month, month+" classé"))
	*held = false
	w.rounds(1)
	if got := w.delivered(); !slices.Contains(got, martin+"/invoice.json") {
		t.Errorf("delivered %v", got)
	}
}

func TestTheRegisterLeadsToWhereAnInvoiceReallyStands(t *testing.T) {
	w, held := heldBack(t)
	w.must(os.Mkdir(filepath.Join(w.root, acme.ID, filepath.FromSlash(martin)), 0o755)) // by staff
	*held = false
	w.rounds(1)
	folder := w.received(ledger.ReceivedDelivered)[0].Folder
	if !slices.Contains(w.delivered(), folder+"/invoice.json") {
		t.Errorf("the register leads to %s; delivered %v", folder, w.delivered())
	}
}

func TestANameThatIsPromisedIsGivenToNoOther(t *testing.T) {
	w, held := flatWorld(t), true
	w.refusing(func(verb, name string) error {
		if held && verb == "move" && path.Ext(name) != ".bin" && strings.HasPrefix(name, buildPrefix+"1/") {
			return errHeld
		}
		return nil
	})
	w.arrive(laden("in1", "S-1")) // of which the quarantine goes out, and the rest is held
	w.arrive(supplied("in2", "S-1"))
	if err := w.Round(w.ctx); !errors.Is(err, errHeld) {
		t.Fatalf("round: %v", err)
	}
	held = false
	w.pass(time.Minute)
	w.rounds(1)
	for _, r := range w.received(ledger.ReceivedDelivered) {
		text := w.read(withoutExt(r.Folder) + ".json")
		if !strings.Contains(text, fmt.Sprintf("%q", r.APIID)) {
			t.Errorf("the register leads from %s to %s, which is another invoice: %.60s", r.APIID, r.Folder, text)
		}
	}
}

// TestInvoicesThatThePlatformDoesNotKnowStarveNoLaterOne: as many as a round looks
// at were shown once and are not found since.
func TestInvoicesThatThePlatformDoesNotKnowStarveNoLaterOne(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Poll.Budget = 2 * atOnce })
	for i := range atOnce {
		_, err := w.ledger.SeeReceived(w.ctx, acme.ID, fmt.Sprint("gone", i))
		w.must(err)
	}
	arrive := func(id, number string) {
		_, err := w.ledger.SeeReceived(w.ctx, acme.ID, id)
		w.must(err)
		w.platform.put(supplied(id, number))
		w.platform.fail["list"] = errAway // it comes by its id alone
		w.rounds(1)
		delete(w.platform.fail, "list")
	}
	w.rounds(1)
	arrive("in1", "S-1")
	if n := len(w.received(ledger.ReceivedDelivered)); n != 1 {
		t.Errorf("%d delivered behind those, want 1", n)
	}
	for range 3 { // their tries again leave something of the day's budget
		w.pass(time.Hour)
		w.rounds(1)
	}
	arrive("in2", "S-2")
	if n := len(w.received(ledger.ReceivedDelivered)); n != 2 {
		t.Errorf("%d delivered at the end of the day, want 2", n)
	}
	w.platform.put(supplied("gone499", "S-3"))
	for range 2 { // those that were tried less go first
		w.pass(24 * time.Hour)
		w.rounds(1)
	}
	if n := len(w.received(ledger.ReceivedDelivered)); n != 3 {
		t.Errorf("%d delivered after one of them is found again, want 3", n)
	}
}
