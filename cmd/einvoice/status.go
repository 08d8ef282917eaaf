package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/inbox"
	"einvoice/outbox"
)

// reading opens the ledger beside a daemon that may be running.
func reading(ctx context.Context, path string, use func(*Config, *ledger.Ledger) error) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	l, err := ledger.OpenReader(ctx, cfg.Ledger)
	if err != nil {
		return fmt.Errorf("open ledger in %s: %w", cfg.Ledger.Path, err)
	}
	defer l.Close()
	return use(cfg, l)
}

func statusCommand(s streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show how many invoices stand where", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return reading(cmd.Context(), path, func(cfg *Config, l *ledger.Ledger) error {
				figures, err := l.Status(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(s.out, figures)
				}
				if err := printStatus(s.out, cfg, figures); err != nil {
					return err
				}
				return printTrouble(cmd.Context(), s.out, cfg, l)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printStatus(out io.Writer, cfg *Config, figures []ledger.Figures) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, cfg.say("environment\t%s\t%s\n", environment(cfg), cfg.API.BaseURL))
	switch pid, err := ledger.HeldBy(cfg.Ledger); {
	case err != nil: // not for everybody who may read the ledger
	case pid == 0:
		fmt.Fprint(w, cfg.say("daemon\tnot running: nothing is read or sent\n"))
	default:
		fmt.Fprint(w, cfg.say("daemon\trunning, process %d\n", pid))
	}
	for _, f := range figures {
		fmt.Fprint(w, cfg.say("company\t%s\n", f.Company))
		if !f.LastFile.IsZero() {
			fmt.Fprint(w, cfg.say("  last export\t%s\n", f.LastFile.In(cfg.location()).Format(time.DateTime)))
		}
		for _, st := range []ledger.State{ledger.Queued, ledger.Waiting, ledger.Sending, ledger.Uncertain, ledger.Held,
			ledger.Sent, ledger.Rejected, ledger.Refused, ledger.Conflict, ledger.Duplicate, ledger.Superseded, ledger.Ignored} {
			if n := f.States[st]; n > 0 {
				fmt.Fprintf(w, "  %s\t%d\n", cfg.say(string(st)), n)
			}
		}
		for _, st := range []connector.State{connector.StateNew, connector.StateSent, connector.StateDone, connector.StateError} {
			if n := f.Platform[st]; n > 0 {
				fmt.Fprint(w, cfg.say("  at the platform: %s\t%d\n", st, n))
			}
		}
		for _, st := range []ledger.ReceivedState{ledger.ReceivedSeen, ledger.ReceivedFetched, ledger.ReceivedBuilt, ledger.ReceivedDelivered} {
			if n := f.Received[st]; n > 0 {
				fmt.Fprint(w, cfg.say("  supplier invoices %s\t%d\n", cfg.say(string(st)), n))
			}
		}
		if f.ToCheck > 0 {
			fmt.Fprint(w, cfg.say("  supplier invoices to check\t%d\n", f.ToCheck))
		}
	}
	return w.Flush()
}

// printTrouble says what keeps invoices or answers from going out.
func printTrouble(ctx context.Context, out io.Writer, cfg *Config, l *ledger.Ledger) error {
	for _, c := range cfg.Companies {
		why, err := l.Get(ctx, outbox.StoppedFact(c.ID))
		if err != nil {
			return err
		}
		if why != "" {
			fmt.Fprint(out, cfg.say("sending for %s is stopped: %s\n", c.ID, why))
		}
	}
	if err := printWayBack(ctx, out, cfg, l); err != nil {
		return err
	}
	owed, err := l.Owed(ctx)
	if err == nil && owed > 0 {
		fmt.Fprint(out, cfg.say("answers not written yet: %d\n", owed))
	}
	return err
}

// printWayBack says what of the day's budget of calls is spent, and whether the
// platform calls.
func printWayBack(ctx context.Context, out io.Writer, cfg *Config, l *ledger.Ledger) error {
	spent, err := l.Spend(ctx, time.Now().In(cfg.location()).Format(time.DateOnly), 0)
	if err != nil {
		return err
	}
	fmt.Fprint(out, cfg.say("calls to the platform today: %d of %d (inbox.poll.budget)\n", spent, cfg.Inbox.Poll.Budget))
	text, err := l.Get(ctx, inbox.SilentFact)
	if since, parse := time.Parse(time.RFC3339, text); err == nil && parse == nil {
		fmt.Fprint(out, cfg.say("callbacks are silent since %s; polling finds what they would have told\n", since.In(cfg.location()).Format(time.DateTime)))
	}
	return err
}

func traceCommand(s streams) *cobra.Command {
	var path string
	var asJSON, refresh bool
	cmd := &cobra.Command{
		Use: "trace NUMBER|FILE|ID", Short: "Tell the whole story of an invoice, sent or received, or of an export", Args: exactly(1),
		Long: `Trace tells all that happened, in order: the export, its row and hash, the mapping
and its version, attempts, look-ups, callbacks, statuses, what people asked for,
the files written. With --refresh the platform is asked first what it knows now.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if refresh {
				quiet := streams{in: s.in, out: io.Discard, err: s.err}
				if err := carryOut(cmd.Context(), path, "refresh", map[string]string{"invoice": args[0]}, quiet); err != nil {
					return err
				}
			}
			return reading(cmd.Context(), path, func(cfg *Config, l *ledger.Ledger) error {
				return trace(cmd.Context(), s.out, cfg, l, args[0], asJSON)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&refresh, "refresh", false, "ask the platform first")
	return cmd
}

// story is one traced invoice, export or supplier invoice.
type story struct {
	Number, Company, APIID string
	State                  string
	Steps                  []ledger.Step
}

// in says where it stands.
func (s story) in(cfg *Config) string {
	if state, is := strings.CutPrefix(s.State, "supplier invoice "); is {
		return cfg.say("supplier invoice %s", cfg.say(state))
	}
	return cfg.say(s.State)
}

func trace(ctx context.Context, out io.Writer, cfg *Config, l *ledger.Ledger, text string, asJSON bool) error {
	files, err := l.FindFiles(ctx, text)
	if err != nil {
		return err
	}
	all, err := stories(ctx, l, text, cfg.lang())
	if err != nil {
		return err
	}
	if len(all)+len(files) == 0 {
		return errors.New(cfg.say("trace %q: no invoice, sent or received, has this number, API id or ERP key, and no export this name", text))
	}
	if asJSON {
		return writeJSON(out, all)
	}
	printFiles(out, cfg, files)
	for _, st := range all {
		fmt.Fprint(out, cfg.say("%s  company %s  %s  %s\n", st.Number, st.Company, st.in(cfg), st.APIID))
		for _, step := range st.Steps {
			fmt.Fprintf(out, "  %s  %-10s %s\n", step.At.In(cfg.location()).Format("2006-01-02 15:04:05.000"), cfg.say(step.What), step.Text)
		}
	}
	return nil
}

// stories are those of the invoices, sent and received, that a text names.
func stories(ctx context.Context, l *ledger.Ledger, text string, lang problem.Lang) ([]story, error) {
	found, err := l.Find(ctx, text)
	if err == nil && len(found) == 0 {
		found, err = invoicesOfFile(ctx, l, text)
	}
	if err != nil {
		return nil, err
	}
	all := []story{}
	for _, inv := range found {
		steps, err := l.Story(ctx, inv.ID, lang)
		if err != nil {
			return nil, err
		}
		all = append(all, story{inv.Key.Number, inv.Company, inv.APIID, string(inv.State), steps})
	}
	received, err := l.FindReceived(ctx, text)
	if err != nil {
		return nil, err
	}
	for _, r := range received {
		steps, err := l.ReceivedStory(ctx, r, lang)
		if err != nil {
			return nil, err
		}
		all = append(all, story{r.Number, r.Company, r.APIID, "supplier invoice " + string(r.State), steps})
	}
	return all, nil
}

// printFiles tells what became of exports as a whole.
func printFiles(out io.Writer, cfg *Config, files []ledger.File) {
	for _, f := range files {
		fmt.Fprint(out, cfg.say("%s  take %d of %s, %s, %d bytes, mapping %q version %s, SHA-256 %s\n  original: %s\n", f.Name, f.Take, f.Drop, cfg.say(string(f.State)), f.Size, f.Mapping, f.MappingVersion, f.SHA256, f.Archived))
		for _, p := range f.Problems {
			fmt.Fprintf(out, "  %s %s: %s: %s\n      → %s\n", cfg.say(string(p.Severity)), p.Code, p.Where(cfg.lang()), p.Message(cfg.lang()), p.Remedy(cfg.lang()))
		}
	}
}

func invoicesOfFile(ctx context.Context, l *ledger.Ledger, name string) ([]ledger.Invoice, error) {
	files, err := l.FindFiles(ctx, name)
	if err != nil {
		return nil, err
	}
	var out []ledger.Invoice
	for _, f := range files {
		for inv, err := range l.InvoicesOf(ctx, f.ID) {
			if err != nil {
				return nil, err
			}
			out = append(out, inv)
		}
	}
	return out, nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
