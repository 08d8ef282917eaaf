package drop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"einvoice/connector/fault"
	"einvoice/connector/problem"
)

// OwnerMarker is the file that says which ledger serves a drop.
const OwnerMarker = ".einvoice-owner"

// A marker is refreshed by Beat every beatEvery at most, and is that of a living
// owner for aliveFor.
const (
	beatEvery = 30 * time.Second
	aliveFor  = 3 * time.Minute
)

// marker is the content of OwnerMarker.
type marker struct {
	Ledger     string    `json:"ledger"`
	Run        string    `json:"run,omitempty"`        // of its program
	Generation int64     `json:"generation,omitempty"` // of the ledger: a later one than its own betrays a restored backup
	Released   bool      `json:"released,omitempty"`   // the owner stopped
	Host       string    `json:"host"`
	PID        int       `json:"pid"`
	Since      time.Time `json:"since"`
	Heartbeat  time.Time `json:"heartbeat"`
	// TakenOver names the ledger that we took the folder from, until the first
	// Beat: a crash before the caller acted on foreign must not hide it.
	TakenOver string `json:"taken_over_from,omitempty"`
	Note      string `json:"note"`
}

const markerNote = "Made by einvoice, which reads this folder. Do not copy or remove it. / Ne pas copier ni supprimer."

// Owner is the ledger that claims a place.
type Owner struct {
	ID         string
	Generation func() int64 // where it stands in its life; nil: it has none
	Run        string       // what no other run of the program has; "" where a claim is made once
}

func (o Owner) generation() int64 {
	if o.Generation == nil {
		return 0
	}
	return o.Generation()
}

// Claim is our ownership of a place, kept up by Beat.
type Claim struct {
	place Place
	owner Owner

	mu  sync.Mutex
	own *marker // nil once released
}

// ClaimOwner marks a place as served by a ledger, so that no second one takes
// the same exports. The marker of another ledger, or of the same one on another
// machine, is refused with a problem.Problem while its owner lives, and taken
// over when it does not. foreign tells the caller to doubt what it knows: the
// place was served by another ledger, or by a later generation of this one. It
// is told again by every claim until the first Beat. Call Beat at each scan, never before that
// doubt is recorded, and Release at the end. A place that we may not write to
// gets no marker: the error wraps fs.ErrPermission, and a drop with
// after = "leave" goes on without.
func ClaimOwner(ctx context.Context, p Place, owner Owner, now func() time.Time) (c *Claim, foreign bool, err error) {
	if now == nil {
		now = time.Now
	}
	found, err := readMarker(ctx, p)
	if err != nil {
		return nil, false, err
	}
	at := now().UTC().Round(0)
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	from := takenFrom(found, owner)
	foreign = from != ""
	if found != nil && !found.of(owner, host) && found.alive(at) {
		return nil, foreign, otherOwner(p, *found)
	}
	own := marker{Ledger: owner.ID, Run: owner.Run, Generation: owner.generation(), Host: host, PID: os.Getpid(), Since: at, Heartbeat: at, TakenOver: from, Note: markerNote}
	if err := writeMarker(ctx, p, own); err != nil {
		return nil, foreign, err
	}
	// Of two that claim at once the later one stands: the earlier sees it here or at its next Beat.
	if found, err = readMarker(ctx, p); err != nil {
		return nil, foreign, err
	} else if found != nil && !found.of(owner, host) {
		return nil, foreign, otherOwner(p, *found)
	}
	return &Claim{place: p, owner: owner, own: &own}, foreign, nil
}

// of tells whether the marker is that ledger's, written on that machine.
func (m marker) of(owner Owner, host string) bool {
	return m.Ledger == owner.ID && (m.Host == host || m.Host == "")
}

// takenFrom names the other ledger that a marker speaks of, or the later
// generation of this one, if any.
func takenFrom(found *marker, owner Owner) string {
	switch {
	case found == nil:
		return ""
	case found.Ledger != owner.ID:
		return found.Ledger
	case owner.Run != "" && found.Run == owner.Run: // of a claim of ours that failed after it
		return found.TakenOver
	case owner.Generation != nil && found.Generation >= owner.generation():
		return fmt.Sprintf("%s, generation %d", found.Ledger, found.Generation)
	}
	return found.TakenOver
}

// Beat shows that the owner lives; call it at each scan. The error is a
// problem.Problem when another ledger took the place meanwhile (this machine
// slept, or both claimed at once): stop reading it then.
func (c *Claim) Beat(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil || c.own.TakenOver == "" && now.Sub(c.own.Heartbeat).Abs() < beatEvery {
		return nil
	}
	found, err := readMarker(ctx, c.place)
	if err != nil {
		return err
	}
	if found != nil && !found.of(c.owner, c.own.Host) {
		return otherOwner(c.place, *found)
	}
	next := *c.own
	next.Heartbeat, next.TakenOver, next.Generation = now.UTC().Round(0), "", c.owner.generation()
	if err := writeMarker(ctx, c.place, next); err != nil {
		return err
	}
	c.own = &next
	return nil
}

// releaseWithin bounds Release: a marker that stays grows stale by itself.
const releaseWithin = 10 * time.Second

// Release says in the marker that its owner stopped, if it is still ours. The
// marker stays: the next owner must know which ledger served the place, and how
// far that one had come.
func (c *Claim) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
	defer cancel()
	found, err := readMarker(ctx, c.place)
	if err == nil && found != nil && found.of(c.owner, c.own.Host) {
		last := *c.own
		last.Released, last.Generation, last.TakenOver = true, c.owner.generation(), found.TakenOver
		_ = writeMarker(ctx, c.place, last)
		_ = fault.Hit(fault.OwnerReleased)
	}
	c.own = nil
}

// alive tells whether the marker was refreshed lately; a heartbeat from the
// future is a wrong clock, not a longer life.
func (m marker) alive(now time.Time) bool {
	return !m.Released && now.Sub(m.Heartbeat).Abs() < aliveFor
}

// readMarker returns nil when there is none. One that cannot be understood is
// that of an unknown ledger.
func readMarker(ctx context.Context, p Place) (*marker, error) {
	file, err := p.Open(ctx, OwnerMarker)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrBusy) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", OwnerMarker, p, err)
	}
	var m marker
	if json.Unmarshal(data, &m) != nil || m.Ledger == "" {
		return &marker{Ledger: "?"}, nil
	}
	return &m, nil
}

func writeMarker(ctx context.Context, p Place, m marker) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	err = p.Publish(ctx, OwnerMarker, bytes.NewReader(append(data, '\n')))
	if err == nil {
		err = fault.Hit(fault.OwnerMarked)
	}
	if readOnly(err) {
		err = fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
	return err
}

// IsOtherOwner tells the error of a place that another ledger serves.
func IsOtherOwner(err error) bool {
	p, ok := errors.AsType[problem.Problem](err)
	return ok && p.Code == codeOtherOwner
}

func otherOwner(p Place, m marker) error {
	return problem.Problem{
		Code: codeOtherOwner, Severity: problem.Hold, Value: m.Ledger,
		Args: map[string]string{
			"place": p.String(), "host": m.Host, "pid": fmt.Sprint(m.PID),
			"heartbeat": m.Heartbeat.Format(time.RFC3339),
		},
	}
}
