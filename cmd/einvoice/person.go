package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// decision is what a person decides about invoices, found by number, API id, ERP
// key or the name of their export.
type decision struct {
	use, short string
	all        bool           // has --all
	from       []ledger.State // the invoices it is about
	do         func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error
}

func decisions() map[string]decision {
	return map[string]decision{
		"release": {"release NUMBER|FILE", "Let held invoices go", true, []ledger.State{ledger.Held},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error {
				return l.ReleaseHeld(ctx, ids, note)
			}},
		"hold": {"hold NUMBER|FILE", "Keep invoices that were not sent yet from being sent", false, []ledger.State{ledger.Queued, ledger.Waiting},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, note string) error {
				return l.Hold(ctx, ids, note)
			}},
		"retry": {"retry NUMBER|FILE", "Send, or look up, now instead of later", false, []ledger.State{ledger.Queued, ledger.Uncertain, ledger.Rejected},
			func(ctx context.Context, l *ledger.Ledger, ids []int64, _ string) error { return l.Retry(ctx, ids) }},
	}
}

// besideDaemon ends the help of every errand.
const besideDaemon = `

It may be given while the daemon runs, which then carries it out and answers;
who asked, and when, is in trace.`

func personCommands(s streams) []*cobra.Command {
	cmds := []*cobra.Command{resolveCommand(s), replayCommand(s)}
	for _, name := range []string{"hold", "release", "retry"} {
		cmds = append(cmds, decisionCommand(s, name, decisions()[name]))
	}
	return cmds
}

// everything stands for --all where a number or a file is named otherwise.
const everything = "--all"

func decisionCommand(s streams, name string, d decision) *cobra.Command {
	var path string
	var all bool
	cmd := &cobra.Command{
		Use: d.use, Short: d.short, Long: d.short + "." + besideDaemon, Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) == 0:
				args = []string{everything}
			case all || len(args) == 0:
				return fmt.Errorf("%w: write %s%s", errUsage, d.use, map[bool]string{true: "|--all"}[d.all])
			}
			return carryOut(cmd.Context(), path, name, map[string]string{"invoice": args[0]}, s)
		},
	}
	if d.all {
		cmd.Flags().BoolVar(&all, "all", false, "all of them")
	}
	configFlag(cmd, &path)
	return cmd
}

func (d decision) carryOut(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	name, _, _ := strings.Cut(d.use, " ")
	if name == "release" {
		if n, err := releaseReceived(ctx, a, args["invoice"]); err != nil || n > 0 {
			if err == nil {
				_, err = fmt.Fprint(out, a.cfg.say("release: %d supplier invoice(s)\n", n))
			}
			return nil, err
		}
	}
	ids, err := meant(ctx, a, args["invoice"], d.from)
	if err != nil {
		return nil, err
	}
	if err := d.do(ctx, a.ledger, ids, strings.Join([]string{"einvoice", name, args["invoice"]}, " ")); err != nil {
		return ids, err
	}
	a.wake()
	_, err = fmt.Fprint(out, a.cfg.say("%s: %d invoice(s)\n", name, len(ids)))
	return ids, err
}

// releaseReceived lets supplier invoices that were kept to check into the ERP's
// delivery.
func releaseReceived(ctx context.Context, a *app, text string) (int, error) {
	found, err := a.ledger.FindReceived(ctx, text)
	if err != nil {
		return 0, err
	}
	var ids []int64
	kept := slices.DeleteFunc(found, func(r ledger.Received) bool { return !r.Kept })
	for _, r := range kept {
		ids = append(ids, r.ID)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	if ours, err := a.ledger.Find(ctx, text); err != nil {
		return 0, err
	} else if slices.ContainsFunc(ours, func(i ledger.Invoice) bool { return i.State == ledger.Held && text != kept[0].APIID }) {
		return 0, errors.New(a.cfg.say("%q is the number of a held invoice of yours and of a supplier's; name the supplier's by its id (%s), yours by its ERP key or file", text, kept[0].APIID))
	}
	err = a.ledger.ReleaseReceived(ctx, ids, "einvoice release "+text)
	if err == nil && a.inbox != nil {
		a.inbox.Outdated(kept)
	}
	return len(ids), err
}

// wake tells the running parts that a person changed something.
func (a *app) wake() {
	if a.outbox != nil {
		a.outbox.Wake()
	}
}

// resolveCommand records what a person found out about a held invoice.
func resolveCommand(s streams) *cobra.Command {
	var path, id string
	var never bool
	cmd := &cobra.Command{
		Use: "resolve NUMBER", Short: "Say what became of a held invoice", Args: exactly(1),
		Long: "Resolve records what a person found out about a held invoice." + besideDaemon,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (id == "") == !never {
				return fmt.Errorf("%w: give either --as-sent ID or --as-rejected", errUsage)
			}
			return carryOut(cmd.Context(), path, "resolve", map[string]string{"invoice": args[0], "as_sent": id}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&id, "as-sent", "", "it is at the platform under this id")
	cmd.Flags().BoolVar(&never, "as-rejected", false, "it counts no more; another may take its number")
	return cmd
}

func doResolve(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	o := ledger.Outcome{State: ledger.Rejected, Note: "resolved by a person: not at the platform"}
	if id := args["as_sent"]; id != "" {
		o = ledger.Outcome{State: ledger.Sent, APIID: id, Note: "resolved by a person: sent as " + id}
	}
	ids, err := meant(ctx, a, args["invoice"], []ledger.State{ledger.Held})
	if err != nil {
		return nil, err
	}
	if len(ids) > 1 {
		return nil, errors.New(a.cfg.say("resolve %q: %d held invoices have this number; name one by its ERP key", args["invoice"], len(ids)))
	}
	o.ID = ids[0]
	if err := a.ledger.ResolveHeld(ctx, o); err != nil {
		return ids, err
	}
	a.wake()
	_, err = fmt.Fprint(out, a.cfg.say("resolve: %s is %s\n", args["invoice"], a.cfg.say(string(o.State))))
	return ids, err
}

func replayCommand(s streams) *cobra.Command {
	var path, since string
	cmd := &cobra.Command{
		Use: "replay-results --since DATE", Short: "Write the answers for the ERP again, from a day on", Args: none,
		Long: `Replay-results writes the acknowledgements, summaries and status files that were
published since a day once more: the same names, the same bytes, for an ERP that
lost them or was restored from a backup.` + besideDaemon,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := connector.ParseDate(since); err != nil {
				return fmt.Errorf("%w: --since %w", errUsage, err)
			}
			return carryOut(cmd.Context(), path, "replay-results", map[string]string{"since": since}, s)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&since, "since", "", "first day, as 2026-09-01")
	return cmd
}

func doReplay(ctx context.Context, a *app, args map[string]string, out io.Writer) ([]int64, error) {
	since, err := time.ParseInLocation(time.DateOnly, args["since"], a.cfg.location())
	if err != nil {
		return nil, err
	}
	n, gone, err := a.ledger.Republish(ctx, since, a.blobs.Has)
	if err != nil {
		return nil, err
	}
	if a.publisher == nil { // no daemon publishes them
		if err := a.openPlaces(ctx); err != nil {
			return nil, err
		}
		if err := a.openResults(ctx); err != nil {
			return nil, err
		}
		if err := a.flush(); err != nil {
			return nil, err
		}
	}
	a.wakePublisher()
	text := a.cfg.say("replay-results: %d file(s) written again\n", n)
	if gone > 0 {
		text += a.cfg.say("replay-results: %d file(s) not written: they are kept no longer (retention.payload_days)\n", gone)
	}
	_, err = fmt.Fprint(out, text)
	return nil, err
}

// meant finds the invoices that a person means and that are in one of the states.
func meant(ctx context.Context, a *app, text string, from []ledger.State) (ids []int64, err error) {
	found, err := named(ctx, a.ledger, text, from)
	if err != nil {
		return nil, err
	}
	for _, inv := range found {
		if slices.Contains(from, inv.State) {
			ids = append(ids, inv.ID)
		}
	}
	if len(ids) == 0 {
		return nil, errors.New(a.cfg.say("%q: no invoice of this number or file is %s; einvoice queue lists those that are open", text, anyOf(a.cfg, from)))
	}
	return ids, nil
}

func anyOf(cfg *Config, states []ledger.State) string {
	var words []string
	for _, s := range states {
		words = append(words, cfg.say(string(s)))
	}
	return strings.Join(words, cfg.say(" or "))
}

// mostNamed bounds what one decision is about.
const mostNamed = 1_000_000

func named(ctx context.Context, l *ledger.Ledger, text string, from []ledger.State) (found []ledger.Invoice, err error) {
	if text == everything {
		for _, s := range from {
			some, err := l.InvoicesIn(ctx, s, "", mostNamed)
			if err != nil {
				return nil, err
			}
			found = append(found, some...)
		}
		return found, nil
	}
	if found, err = l.Find(ctx, text); err == nil && len(found) == 0 {
		found, err = invoicesOfFile(ctx, l, text)
	}
	return found, err
}
