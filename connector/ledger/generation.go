package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"einvoice/connector/durable"
)

// A database that was put back from a copy does not know what was sent since:
// everything that the copy still holds in its queue may be at the platform
// already. The generation betrays it. It is a number in the database that grows
// at each start and while invoices are sent, and is also written outside of it,
// beside the database and into the owner markers of the drops. A database whose
// number is behind the one outside is an older one.

// witnessName is the file beside the database that keeps the generation.
const witnessName = "generation.json"

// advanceEvery is how long a generation lasts at least while invoices are sent:
// a copy made meanwhile is told from the database only after it.
const advanceEvery = time.Second

const witnessNote = "Tells a restored ledger.db from the one that ran last. Leave it where it is when you restore a backup. / Ne pas remplacer en restaurant une sauvegarde."

// witness is the content of witnessName.
type witness struct {
	Ledger     string `json:"ledger"`
	Generation int64  `json:"generation"`
	Host       string `json:"host"`
	Note       string `json:"note"`
}

// generations is where the ledger stands in its life.
type generations struct {
	path string // of the witness
	host string // of this machine, "" where unknown

	mu       sync.Mutex
	now      int64     // in the database
	outside  int64     // in the witness
	advanced time.Time // when it last grew
	doubt    string    // why this ledger is not believed; "" when it is
	leapt    bool      // numbers were made to leap in this run
}

// Generation is the number that owner markers carry.
func (l *Ledger) Generation() int64 {
	l.generations.mu.Lock()
	defer l.generations.mu.Unlock()
	return l.generations.now
}

// Doubt says why Open made every company sweep: this database is an older one,
// or a copy. It is "" for one that goes on where it stopped, and for a new one.
func (l *Ledger) Doubt() string { return l.generations.doubt }

// settleGeneration begins a new generation, and has every company swept when the
// database is not the one that ran last here.
func (l *Ledger) settleGeneration(t *tx) error {
	g := &l.generations
	known, err := first(context.Background(), t, func(r row) (k witness, err error) {
		err = r.Scan(&k.Generation, &k.Host)
		return k, err
	}, `SELECT CAST(COALESCE((SELECT value FROM identity WHERE name = 'generation'), '0') AS INTEGER),
		COALESCE((SELECT value FROM identity WHERE name = 'host'), '')`)
	if err != nil {
		return err
	}
	seen, err := readWitness(g.path)
	if err != nil {
		return err
	}
	if g.doubt = l.doubtOf(known, seen); g.doubt != "" {
		if _, err := t.exec("UPDATE company SET swept_at = NULL"); err != nil {
			return err
		}
		if err := l.leap(t); err != nil {
			return err
		}
		g.leapt = true
	}
	g.now = known.Generation + 1
	if seen.Ledger == l.id {
		g.now = max(known.Generation, seen.Generation) + 1
	}
	g.advanced = l.now()
	_, err = t.exec("INSERT INTO identity (name, value) VALUES ('generation', ?1), ('host', ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
		strconv.FormatInt(g.now, 10), g.host)
	return err
}

// leapLeast is how far numbers leap at least: more than anybody gives out between
// two backups.
const leapLeast = 10_000_000

// leapEpoch is where the seconds begin that a leap goes to: an older state put
// back twice must not give out the same numbers twice either.
var leapEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// leap makes takes and sequence numbers go on far above those that another state
// of this ledger, or the ledger before it, may have given out: a name that is
// there already cannot be published or archived under, and who ignores a seq that
// is not above the last would miss what happens now.
func (l *Ledger) leap(t *tx) error {
	clock := int64(l.now().Sub(leapEpoch) / time.Second)
	_, err := t.exec(`INSERT INTO identity (name, value) VALUES ('numbers_after', CAST(MAX(?1, ?2) AS TEXT))
		ON CONFLICT DO UPDATE SET value = CAST(MAX(CAST(value AS INTEGER) + ?1, ?2) AS TEXT)`, leapLeast, clock)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE place SET next_seq = MAX(next_seq + ?, 1 + "+numbersAfter+")", leapLeast)
	return err
}

// numbersAfter is what takes and sequence numbers were made to leap over, 0 in a
// ledger that always went on where it stopped.
const numbersAfter = "COALESCE((SELECT CAST(value AS INTEGER) FROM identity WHERE name = 'numbers_after'), 0)"

// doubtOf compares what the database knows of itself with what was seen outside.
func (l *Ledger) doubtOf(known, seen witness) string {
	switch {
	case known.Generation == 0 && seen.Ledger != l.id:
		return "" // new: it sweeps anyway
	case seen.Ledger == "":
		return witnessName + " is missing beside the database: it was moved or put back here"
	case seen.Ledger != l.id:
		return "another ledger ran here last"
	case seen.Generation > known.Generation:
		return fmt.Sprintf("it is an older state (%d) than the one that ran last (%d): a backup was put back", known.Generation, seen.Generation)
	case known.Host != "" && l.generations.host != "" && known.Host != l.generations.host:
		return fmt.Sprintf("it ran on another machine before (%s): it may be a copy", known.Host)
	}
	return ""
}

// advance begins another generation before invoices are sent, at most once in
// advanceEvery.
func (l *Ledger) advance(ctx context.Context) error {
	g := &l.generations
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.now().Sub(g.advanced).Abs() < advanceEvery && g.outside == g.now {
		return nil
	}
	next := g.now + 1
	if err := l.commit(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE identity SET value = ? WHERE name = 'generation'", strconv.FormatInt(next, 10))
		return err
	}); err != nil {
		return err
	}
	g.now, g.advanced = next, l.now()
	return l.writeWitness()
}

// testify writes the first generation of a run outside the database.
func (l *Ledger) testify() error {
	l.generations.mu.Lock()
	defer l.generations.mu.Unlock()
	return l.writeWitness()
}

// writeWitness comes after the commit: a crash in between leaves the database
// ahead, which raises no doubt.
func (l *Ledger) writeWitness() error {
	g := &l.generations
	data, err := json.MarshalIndent(witness{Ledger: l.id, Generation: g.now, Host: g.host, Note: witnessNote}, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(g.path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", witnessName, err)
	}
	g.outside = g.now
	return nil
}

// readWitness is empty where there is none; one that cannot be understood is
// that of an unknown ledger.
func readWitness(path string) (witness, error) {
	var w witness
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, fmt.Errorf("read %s: %w", witnessName, err)
	}
	if json.Unmarshal(data, &w) != nil || w.Ledger == "" {
		return witness{Ledger: "?"}, nil
	}
	return w, nil
}

// newGenerations looks where the witness of a ledger stands.
func newGenerations(dir, host string) generations {
	if host == "" {
		host = machine()
	}
	return generations{path: filepath.Join(dir, witnessName), host: host}
}

// unsweep makes a copy of the database ask the platform before it sends, should
// it ever be put back.
const unsweep = `ATTACH ? AS copy; UPDATE copy.company SET swept_at = NULL; DETACH copy`
