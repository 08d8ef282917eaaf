// Package sandbox is the E-Invoicing API France as an http.Handler: faithful
// to what its page describes, and hostile on demand.
//
// It shares no type with the client. Both are pinned to the same golden
// exchanges, so that a common misreading cannot hide. The API's own paths are
// under /FR-...; what steers the sandbox is under /sandbox/.
package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/govalues/decimal"
)

// Options of a sandbox. The zero value is instant, lenient and in memory.
type Options struct {
	Now        func() time.Time                 // nil: time.Now
	Scale      float64                          // of the life cycle: 1 steps every 60 s, 0.01 every 0.6 s, 0 at once
	Duplicates string                           // a number posted again: "accept" (default, the worst case), "conflict" (409), "doublon" (422)
	Strict     bool                             // refuse (422) what is otherwise mended: totals, check digits, VAT keys, IBANs
	Unverified string                           // fields that the page shows in no request: "accept" (default), "ignore", "reject" (400)
	Tokens     []string                         // the bearer tokens that are accepted; none: any that is not empty
	OnlyMinted bool                             // only tokens of POST /tokens are accepted, not any
	TokenTTL   time.Duration                    // the longest life of a minted token; 0: what is asked for
	Credit     decimal.Decimal                  // of the wallet, in euros; it counts only with a Price
	Price      decimal.Decimal                  // of an invoice; 0: free
	Data       string                           // file that keeps the state over restarts; "": memory
	Directory  string                           // file with a JSON list of entries, beside those that come with the sandbox; "": none
	Mail       string                           // folder for the e-mails (.eml) that are sent where nothing else reaches; "": none
	SMTP       string                           // host:port of a mail server that gets them too; "": none
	Switches   Switches                         // what is unknown of the platform
	Client     *http.Client                     // for callbacks; nil: an own one
	Log        func(format string, args ...any) // one line per thing worth telling; nil: nowhere
}

// stepLength is the platform's own rhythm: it transmits and calls back every 60 s.
const stepLength = 60 * time.Second

// Sandbox is the platform. It is safe for concurrent use; New makes it, Close ends it.
type Sandbox struct {
	opt     Options
	client  *http.Client
	steer   http.Handler
	ctx     context.Context
	stop    context.CancelFunc
	started time.Time
	quiet   bool // there is no Log
	wake    chan struct{}
	hurry   atomic.Bool // something is due sooner than the clockwork knows
	wg      sync.WaitGroup

	directory atomic.Pointer[map[string]Entry] // replaced as a whole
	switches  atomic.Pointer[Switches]

	mu              sync.Mutex // guards everything below
	closed          bool
	store           store
	journal         *journal
	plan            agenda
	faults          []*Fault
	books           ledgerOfCalls
	tokens          map[string]*token
	account         account
	italians        map[string]*italian // by fiscal id
	italianInvoices []*italianInvoice   // in the order of arrival
	kept            map[string]*call    // callbacks that wait for the next one, by invoice and address
}

// New opens a sandbox and starts its clockwork. An error says which option is
// wrong or why Data cannot be read. The caller must Close it.
func New(opt Options) (*Sandbox, error) {
	quiet := opt.Log == nil
	if err := opt.complete(); err != nil {
		return nil, err
	}
	s := &Sandbox{opt: opt, client: opt.Client, wake: make(chan struct{}, 1), store: newStore(), books: newBooks(),
		tokens: map[string]*token{}, kept: map[string]*call{}, italians: map[string]*italian{}, started: opt.Now()}
	s.switches.Store(&opt.Switches)
	s.quiet = quiet
	all := builtIn()
	s.directory.Store(&all)
	if s.client == nil {
		s.client = newClient()
	}
	if err := s.readDirectory(opt.Directory); err != nil {
		return nil, fmt.Errorf("read sandbox directory: %w", err)
	}
	if err := s.account.book(opt.Credit, decimal.Zero); err != nil {
		return nil, fmt.Errorf("sandbox credit: %w", err)
	}
	if opt.Data != "" {
		if err := s.restore(opt.Data); err != nil {
			return nil, fmt.Errorf("open sandbox data: %w", err)
		}
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.steer = s.steering()
	s.wg.Go(s.turn)
	return s, nil
}

func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Scale < 0 {
		return fmt.Errorf("sandbox scale %v: must not be negative", o.Scale)
	}
	if o.Price.IsNeg() {
		return fmt.Errorf("sandbox price %s: must not be negative", o.Price)
	}
	for _, word := range []struct {
		name  string
		value *string
		known []string
	}{
		{"duplicates", &o.Duplicates, []string{"accept", "conflict", "doublon"}},
		{"unverified", &o.Unverified, []string{"accept", "ignore", "reject"}},
	} {
		if err := choose(word.value, word.known); err != nil {
			return fmt.Errorf("sandbox %s: %w", word.name, err)
		}
	}
	return o.Switches.complete()
}

// choose puts the first known word where there is none.
func choose(value *string, known []string) error {
	if *value == "" {
		*value = known[0]
	}
	for _, k := range known {
		if *value == k {
			return nil
		}
	}
	return fmt.Errorf("unknown word %q, known are %q", *value, known)
}

// Close stops life cycles and callbacks, lets held requests go, waits for its
// goroutines and closes Data. It may be called twice.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	done := s.closed
	s.closed = true
	s.mu.Unlock()
	if done {
		return nil
	}
	s.stop()
	s.wg.Wait()
	if s.opt.Client == nil {
		s.client.CloseIdleConnections()
	}
	return s.journal.close()
}

// step is the time between two steps of an invoice's life.
func (s *Sandbox) step() time.Duration {
	return time.Duration(float64(stepLength) * s.opt.Scale)
}
