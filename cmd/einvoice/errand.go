package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"slices"
	"time"

	"einvoice/connector/ledger"
)

// errand is a verb of a person that changes something. The process that has the
// ledger carries it out: the daemon, asked by a row of the ledger, or the
// command itself when no daemon runs. Either way who asked, when and what came
// of it is recorded.
type errand struct {
	whole bool // it needs the places and the platform, not only the ledger
	do    func(ctx context.Context, a *app, args map[string]string, out io.Writer) (invoices []int64, err error)
}

func errands() map[string]errand {
	all := map[string]errand{
		"resolve":        {do: doResolve},
		"register":       {do: doRegister},
		"redeliver":      {true, doRedeliver},
		"fetch":          {true, doFetch},
		"registers":      {true, doRegisters},
		"refresh":        {true, doRefresh},
		"replay-results": {do: doReplay},
		"log-level":      {do: doLogLevel},
	}
	for name, v := range decisions() {
		all[name] = errand{do: v.carryOut}
	}
	return all
}

const (
	askEvery  = 100 * time.Millisecond // looks for an answer, and for requests
	askAtMost = 30 * time.Second       // until somebody took the request
)

// carryOut runs an errand, in the daemon where one runs.
func carryOut(ctx context.Context, path, verb string, args map[string]string, s streams) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	q := ledger.Request{Verb: verb, Args: args, Who: person()}
	for end := time.Now().Add(askAtMost); ; {
		err := directly(ctx, cfg, q, s)
		if !errors.Is(err, ledger.ErrInUse) {
			return err
		}
		var left bool // between our look and our asking the daemon ended
		if left, err = handOver(ctx, cfg, q, end, s); !left {
			return err
		}
	}
}

// directly carries out an errand in this process; ledger.ErrInUse when another
// one has the ledger.
func directly(ctx context.Context, cfg *Config, q ledger.Request, s streams) error {
	a, err := openFor(ctx, cfg, errands()[q.Verb], s)
	if err != nil {
		return err
	}
	defer a.Close()
	q, err = a.run(ctx, q, s.out)
	return errors.Join(err, a.ledger.NoteRequest(context.WithoutCancel(ctx), q))
}

// openFor opens as much as an errand needs.
func openFor(ctx context.Context, cfg *Config, e errand, s streams) (*app, error) {
	log, journal := openLog(cfg.Log, os.Stderr), journalTo(s.out, cfg.lang(), time.Now, false)
	if e.whole {
		return newApp(ctx, cfg, log, journal)
	}
	a := &app{cfg: cfg, log: log, journal: journal, publish: make(chan struct{}, 1)}
	if err := a.openLedger(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// run carries out an errand with what is open, and fills in what came of it.
func (a *app) run(ctx context.Context, q ledger.Request, out io.Writer) (ledger.Request, error) {
	e, known := errands()[q.Verb]
	if !known { // asked by a newer program
		q.Code, q.Failure = exitFailure, fmt.Sprintf("the daemon does not know %q; restart the service", q.Verb)
		return q, errors.New(q.Failure)
	}
	var err error
	q.Invoices, err = e.do(ctx, a, q.Args, out)
	var quiet exitError
	if q.Code = exitCode(err); err != nil && !errors.As(err, &quiet) {
		q.Failure = err.Error()
	}
	return q, err
}

// handOver leaves the errand to the process that has the ledger and waits for
// its answer. left is true when that process ended without taking it.
func handOver(ctx context.Context, cfg *Config, q ledger.Request, end time.Time, s streams) (left bool, err error) {
	asked, err := ledger.Ask(ctx, cfg.Ledger, q)
	if err != nil {
		return false, err
	}
	defer asked.Close()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		var why error
		select {
		case <-ctx.Done():
			why = ctx.Err()
		case <-ticker.C:
			answer, err := asked.Answer(context.WithoutCancel(ctx))
			if err != nil {
				return false, err
			}
			if !answer.DoneAt.IsZero() {
				return false, tell(answer, s.out)
			}
			why = waiting(cfg, end)
		}
		if why == nil {
			continue
		}
		back, err := asked.Withdraw(context.WithoutCancel(ctx))
		switch {
		case err != nil:
			return false, err
		case !back && errors.Is(why, errLeft):
			return false, lastWord(context.WithoutCancel(ctx), asked, cfg, s.out)
		case !back && ctx.Err() == nil:
			continue // it is being done
		case errors.Is(why, errLeft):
			return true, nil
		}
		return false, why
	}
}

// lastWord is what became of a request whose process ended: it may have answered
// just before. Otherwise nobody will, and nobody knows whether it was done.
func lastWord(ctx context.Context, asked *ledger.Asked, cfg *Config, out io.Writer) error {
	answer, err := asked.Answer(ctx)
	if err == nil && answer.DoneAt.IsZero() {
		err = errors.New(cfg.say("the daemon ended while it did this; look with trace, then ask again"))
	}
	if err != nil {
		return err
	}
	return tell(answer, out)
}

// errLeft says that nobody has the ledger any more.
var errLeft = errors.New("the process that had the ledger ended")

// waiting says why it is no use to wait longer for somebody to take a request.
func waiting(cfg *Config, end time.Time) error {
	pid, err := ledger.HeldBy(cfg.Ledger)
	if err != nil {
		return err
	}
	if pid == 0 {
		return errLeft
	}
	if time.Now().After(end) {
		return told{cfg.say("the ledger is in use: process %d has it and takes no requests; wait until it ends", pid), ledger.ErrInUse}
	}
	return nil
}

// tell prints the daemon's answer and returns what the command ends with.
func tell(q ledger.Request, out io.Writer) error {
	if _, err := io.WriteString(out, q.Answer); err != nil {
		return err
	}
	if q.Failure != "" {
		return errors.New(q.Failure)
	}
	if q.Code != exitFine {
		return exitError(q.Code)
	}
	return nil
}

// serveRequests carries out what people ask for until ctx ends.
func (a *app) serveRequests(ctx context.Context) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for ctx.Err() == nil {
			err := a.serveRequest(ctx)
			if errors.Is(err, ledger.ErrNotFound) {
				err = nil
				a.said.say(a.log, "requests", nil, "")
				break
			}
			if err != nil {
				a.said.say(a.log, "requests", err, "requests of people cannot be read or answered; trying again")
				break
			}
		}
	}
}

// serveRequest carries out the oldest request.
func (a *app) serveRequest(ctx context.Context) error {
	q, err := a.ledger.TakeRequest(ctx)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	q, err = a.run(ctx, q, &out)
	q.Answer = out.String()
	a.log.Info().Err(err).Str("verb", q.Verb).Strs("args", arguments(q.Args)).Str("who", q.Who).Int("invoices", len(q.Invoices)).Msg("done for a person")
	return a.ledger.AnswerRequest(context.WithoutCancel(ctx), q)
}

func arguments(args map[string]string) (list []string) {
	for _, k := range slices.Sorted(maps.Keys(args)) {
		list = append(list, k+"="+args[k])
	}
	return list
}

// person is who gives a command: the account behind sudo, else the process's.
func person() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
