package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"einvoice/connector/ledger"
)

// ledgerDisk refuses file systems whose locks and fsync cannot be trusted.
func ledgerDisk(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("is not there yet", "einvoice run -c '"+e.Config+"' makes it")
	case err != nil:
		return fail(err.Error(), "correct ledger.path")
	case d.Network:
		return fail("stands on a network file system ("+d.Kind+"): locks and fsync cannot be trusted there, and invoices could be sent twice", "set ledger.path to a folder on a local disk")
	}
	return ok("local disk (%s)", d.Kind)
}

func ledgerRights(_ context.Context, e *exam, dir string) verdict {
	read, write, err := e.machine.Others(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("is not there yet", "einvoice run -c '"+e.Config+"' makes it")
	case err != nil:
		return fail(err.Error(), "correct ledger.path")
	case read || write:
		return fail("everybody on this machine can read invoices there", "chmod 700 '"+dir+"'")
	}
	return ok("for the service alone")
}

// onceMade leaves a measurement until the first start made the ledger's folder.
func onceMade(measure func(context.Context, *exam, string) verdict) func(context.Context, *exam, string) verdict {
	return func(ctx context.Context, e *exam, dir string) verdict {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return warn("is not there yet", "einvoice run -c '"+e.Config+"' makes it")
		}
		return measure(ctx, e, dir)
	}
}

// fsync times what each group commit waits for.
func fsync(_ context.Context, e *exam, dir string) verdict {
	took, _, err := e.machine.Write(dir)
	if err != nil {
		return fail(err.Error(), "give the ledger folder to the service's account: chown -R")
	}
	seen := fmt.Sprintf("a small file is on disk in %s", took.Round(time.Microsecond))
	switch {
	case took > 2*time.Second:
		return fail(seen, "put ledger.path on another disk: each commit waits that long")
	case took > 200*time.Millisecond:
		return warn(seen, "put ledger.path on a faster disk: each commit waits that long")
	}
	return ok("%s", seen)
}

// withLedger opens the ledger beside a daemon that may be running.
func (e *exam) withLedger(ctx context.Context, look func(*ledger.Ledger) verdict) verdict {
	l, err := ledger.OpenReader(ctx, e.Ledger)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("there is no ledger yet", "einvoice run -c '"+e.Config+"' makes it")
	case errors.Is(err, ledger.ErrNewerSchema):
		return fail(err.Error(), "install the newer einvoice again, or put back the copy that the upgrade made")
	case err != nil:
		return fail(err.Error(), "stop the service and put back the newest whole copy of the ledger folder")
	}
	defer l.Close()
	return look(l)
}

func integrity(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		fault, err := l.Integrity(ctx)
		if err != nil {
			fault = err.Error()
		}
		if fault != "" {
			return fail(fault, "stop the service, keep the folder aside, and put back its newest whole copy")
		}
		return ok("whole")
	})
}

func schema(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(*ledger.Ledger) verdict { return ok("as this program writes it") })
}

func identity(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		if err := l.BelongsTo(ctx, e.API.BaseURL); err != nil {
			return fail(err.Error(), "set ledger.path to another folder, one for each API")
		}
		return ok("belongs to %s", e.API.BaseURL)
	})
}

func held(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		return e.pending(ctx, l, ledger.Held, 7*24*time.Hour, "decide, in the folder of invoices to check, or: einvoice release NUMBER")
	})
}

func uncertain(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		return e.pending(ctx, l, ledger.Uncertain, 24*time.Hour, "look on the platform's page, or: einvoice retry NUMBER looks it up now")
	})
}

// pending grades invoices that wait: some is a warning, for too long a failure.
func (e *exam) pending(ctx context.Context, l *ledger.Ledger, s ledger.State, tooLong time.Duration, remedy string) verdict {
	count, err := l.Pending(ctx)
	if err != nil {
		return fail(err.Error(), "see ledger-integrity")
	}
	if count[s] == 0 {
		return ok("none")
	}
	oldest, err := l.InvoicesIn(ctx, s, "", 1)
	if err != nil || len(oldest) == 0 {
		return warn(fmt.Sprintf("%d", count[s]), remedy)
	}
	age := e.machine.Now().Sub(oldest[0].CreatedAt).Round(time.Minute)
	seen := fmt.Sprintf("%d, the oldest (%s) for %s", count[s], oldest[0].Key.Number, age)
	if age > tooLong {
		return fail(seen, remedy)
	}
	return warn(seen, remedy)
}
