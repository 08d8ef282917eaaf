package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"einvoice/connector/ledger"
	"einvoice/connector/setting"
)

// ledgerDisk refuses file systems whose locks and fsync cannot be trusted.
func ledgerDisk(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn(setting.Say("is not there yet"), setting.Say("einvoice run -c '%s' makes it", e.Config))
	case err != nil:
		return fail(caused(err), setting.Say("correct ledger.path"))
	case d.Network:
		return fail(setting.Say("stands on a network file system (%s): locks and fsync cannot be trusted there, and invoices could be sent twice", d.Kind), setting.Say("set ledger.path to a folder on a local disk"))
	}
	return ok(setting.Say("local disk (%s)", d.Kind))
}

func ledgerRights(_ context.Context, e *exam, dir string) verdict {
	read, write, err := e.machine.Others(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn(setting.Say("is not there yet"), setting.Say("einvoice run -c '%s' makes it", e.Config))
	case err != nil:
		return fail(caused(err), setting.Say("correct ledger.path"))
	case read || write:
		return fail(setting.Say("everybody on this machine can read invoices there"), as("chmod 700 '"+dir+"'"))
	}
	return ok(setting.Say("for the service alone"))
}

// onceMade leaves a measurement until the first start made the ledger's folder.
func onceMade(measure func(context.Context, *exam, string) verdict) func(context.Context, *exam, string) verdict {
	return func(ctx context.Context, e *exam, dir string) verdict {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return warn(setting.Say("is not there yet"), setting.Say("einvoice run -c '%s' makes it", e.Config))
		}
		return measure(ctx, e, dir)
	}
}

// fsync times what each group commit waits for.
func fsync(_ context.Context, e *exam, dir string) verdict {
	took, _, err := e.machine.Write(dir)
	if err != nil {
		return fail(caused(err), setting.Say("give the ledger folder to the service's account: chown -R"))
	}
	seen := setting.Say("a small file is on disk in %s", took.Round(time.Microsecond))
	switch {
	case took > 2*time.Second:
		return fail(seen, setting.Say("put ledger.path on another disk: each commit waits that long"))
	case took > 200*time.Millisecond:
		return warn(seen, setting.Say("put ledger.path on a faster disk: each commit waits that long"))
	}
	return ok(seen)
}

// withLedger opens the ledger beside a daemon that may be running.
func (e *exam) withLedger(ctx context.Context, look func(*ledger.Ledger) verdict) verdict {
	l, err := ledger.OpenReader(ctx, e.Ledger)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn(setting.Say("there is no ledger yet"), setting.Say("einvoice run -c '%s' makes it", e.Config))
	case errors.Is(err, ledger.ErrNewerSchema):
		return fail(setting.Say("was written by a newer einvoice"), setting.Say("install the newer einvoice again, or put back the copy that the upgrade made"))
	case err != nil:
		return fail(setting.Say("cannot be opened: %v", caused(err)), setting.Say("stop the service and put back the newest whole copy of the ledger folder"))
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
			return fail(setting.Say("is damaged: %s", fault), setting.Say("stop the service, keep the folder aside, and put back its newest whole copy"))
		}
		return ok(setting.Say("whole"))
	})
}

func schema(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(*ledger.Ledger) verdict { return ok(setting.Say("as this program writes it")) })
}

func identity(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		if err := l.BelongsTo(ctx, e.API.BaseURL); err != nil {
			return fail(foreign(err, e.API.BaseURL), setting.Say("set ledger.path to another folder, one for each API"))
		}
		return ok(setting.Say("belongs to %s", e.API.BaseURL))
	})
}

func foreign(err error, api string) setting.Phrase {
	if errors.Is(err, ledger.ErrOtherAPI) {
		return setting.Say("was made for another API than %s", api)
	}
	return caused(err)
}

func held(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		return e.pending(ctx, l, ledger.Held, 7*24*time.Hour, setting.Say("decide, in the folder of invoices to check, or: einvoice release NUMBER"))
	})
}

func uncertain(ctx context.Context, e *exam, _ string) verdict {
	return e.withLedger(ctx, func(l *ledger.Ledger) verdict {
		return e.pending(ctx, l, ledger.Uncertain, 24*time.Hour, setting.Say("look on the platform's page, or: einvoice retry NUMBER looks it up now"))
	})
}

// pending grades invoices that wait: some is a warning, for too long a failure.
func (e *exam) pending(ctx context.Context, l *ledger.Ledger, s ledger.State, tooLong time.Duration, remedy setting.Phrase) verdict {
	count, err := l.Pending(ctx)
	if err != nil {
		return fail(caused(err), see("ledger-integrity"))
	}
	if count[s] == 0 {
		return ok(setting.Say("none"))
	}
	oldest, err := l.InvoicesIn(ctx, s, "", 1)
	if err != nil || len(oldest) == 0 {
		return warn(as(strconv.Itoa(count[s])), remedy)
	}
	age := e.machine.Now().Sub(oldest[0].CreatedAt).Round(time.Minute)
	seen := setting.Say("%d, the oldest (%s) for %s", count[s], oldest[0].Key.Number, age)
	if age > tooLong {
		return fail(seen, remedy)
	}
	return warn(seen, remedy)
}
