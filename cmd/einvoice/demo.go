package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/xuri/excelize/v2"
	"golang.org/x/sync/errgroup"

	"einvoice/connector"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/sandbox"
)

// sandboxFile keeps the demo's platform over runs; it also marks the folder as ours.
const sandboxFile = "sandbox.jsonl"

// demoPatience bounds how long the demo waits for everything to settle.
const demoPatience = 2 * time.Minute

func demoCommand(s streams) *cobra.Command {
	var dir, language string
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole trip on this machine, with no account and no network",
		Long: `Demo starts the sandbox, drops three example exports, and shows what happens
to each: read, refused, sent, followed, and a supplier invoice that arrives. It
then stays up, so that you can drop files yourself; --once ends when everything
is settled. A second run over the same --dir sends nothing twice.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if language != "fr" && language != "en" {
				return fmt.Errorf("%w: --language must be fr or en, not %q", errUsage, language)
			}
			d := &demo{out: s.out, language: language, once: once}
			err := d.run(cmd.Context(), dir)
			if cmd.Context().Err() != nil && !once {
				return nil // Ctrl-C is how the demo ends
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "working folder; default: a fresh temporary one")
	f.StringVar(&language, "language", systemLanguage(os.Getenv), "fr or en")
	f.BoolVar(&once, "once", false, "end when everything is settled")
	return cmd
}

// demo is one run of the demonstration.
type demo struct {
	out      io.Writer
	language string
	once     bool
	dir      string
	cfg      *Config
	app      *app
	box      *sandbox.Sandbox
	before   int // invoices the sandbox had when the run began
	expected int // exports that the ledger must know at the end
}

// say prints one line in the demo's language.
func (d *demo) say(fr, en string, args ...any) {
	text := fr
	if d.language == "en" {
		text = en
	}
	fmt.Fprintf(d.out, text+"\n", args...)
}

func (d *demo) run(ctx context.Context, dir string) (err error) {
	if d.dir, err = demoDir(dir); err != nil {
		return err
	}
	d.say("Dossier de démonstration : %s", "Demo folder: %s", d.dir)
	platform, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer platform.Close()
	if d.box, err = sandbox.New(sandbox.Options{Scale: 0.01, Data: filepath.Join(d.dir, sandboxFile)}); err != nil {
		return fmt.Errorf("start sandbox: %w", err)
	}
	defer d.box.Close()
	d.before = len(d.box.Books().Documents)
	d.say("Plateforme d'essai (SANDBOX, rien n'y est une facture légale) : http://%s", "Sandbox (nothing there is a legal invoice): http://%s", platform.Addr())

	if err := d.open(ctx); err != nil {
		return err
	}
	defer d.app.Close()
	g, gctx := errgroup.WithContext(ctx)
	gctx, stop := context.WithCancel(gctx)
	defer stop()
	g.Go(func() error { return serve(gctx, platform, d.box) })
	g.Go(func() error { return d.app.Run(gctx) })
	g.Go(func() error {
		defer func() {
			if d.once {
				stop()
			}
		}()
		return d.show(gctx)
	})
	return g.Wait()
}

// show plays the demonstration: register, drop, a supplier's invoice, wait.
func (d *demo) show(ctx context.Context) error {
	company := d.cfg.companies()[0]
	if _, err := d.app.inbox.Register(ctx, d.app.client, company.ID, true); err != nil {
		return fmt.Errorf("register %s: %w", company.ID, err)
	}
	d.say("\n1. La société %s (SIRET %s) est inscrite sur la plateforme, qui nous prévient par callback.",
		"\n1. Company %s (SIRET %s) is registered with the platform, which calls us back.", company.Name, company.FiscalID)
	d.say("\n2. L'ERP dépose trois exports (CSV, XLSX, XML) dans %s", "\n2. The ERP drops three exports (CSV, XLSX, XML) in %s", d.cfg.Drops[0].Path)
	if err := d.drop(ctx); err != nil {
		return err
	}
	if err := d.await(ctx, d.sent); err != nil {
		return err
	}
	if err := d.supplier(ctx, company); err != nil {
		return err
	}
	if err := d.await(ctx, d.done); err != nil {
		return err
	}
	d.conclude()
	if d.once {
		return nil
	}
	d.say("\nLe connecteur reste en marche : déposez vos fichiers dans %s. Ctrl-C pour finir.", "\nThe connector stays up: drop your files in %s. Ctrl-C to end.", d.cfg.Drops[0].Path)
	<-ctx.Done()
	return nil
}

// drop puts the example exports in place the way an ERP should: written under
// another name, then renamed.
func (d *demo) drop(ctx context.Context) error {
	book, err := workbook()
	if err != nil {
		return fmt.Errorf("make example workbook: %w", err)
	}
	csv, err := starter.ReadFile("starter/ventes_novembre.csv")
	if err != nil {
		return err
	}
	xml, err := starter.ReadFile("starter/lot_2026-11.xml")
	if err != nil {
		return err
	}
	taken, err := d.app.ledger.Files(ctx, 1000)
	if err != nil {
		return err
	}
	d.expected = len(taken) + 3
	for _, f := range []struct {
		name string
		data []byte
	}{{"ventes_novembre.csv", csv}, {"prestations.xlsx", book}, {"lot_2026-11.xml", xml}} {
		if err := durable.WriteFile(filepath.Join(d.cfg.Drops[0].Path, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// workbook is the XLSX export: dates as a spreadsheet keeps them.
func workbook() ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", "Factures"); err != nil {
		return nil, err
	}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	rows := [][]any{
		{"Numéro", "Date de facture", "Client", "SIRET", "Ville", "Article", "Qté", "Prix HT", "Taux TVA"},
		{"PR-0201", day(9), "Cabinet Lumière", "81754508000019", "Lille", "Audit énergétique", 1, 1450, 20},
		{"PR-0201", day(9), "Cabinet Lumière", "81754508000019", "Lille", "Frais de déplacement", 3, 42.5, 20},
		{"PR-0202", day(10), "Mairie d'Exempleville", "74073003100011", "Exempleville", "Formation (journée)", 2, 690, 20},
	}
	for i, row := range rows {
		if err := f.SetSheetRow("Factures", fmt.Sprintf("A%d", i+1), &row); err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	err := f.Write(&buf)
	return buf.Bytes(), err
}

// supplier has somebody send the company an invoice, once.
func (d *demo) supplier(ctx context.Context, company connector.Company) error {
	for _, s := range []ledger.ReceivedState{ledger.ReceivedSeen, ledger.ReceivedFetched, ledger.ReceivedBuilt, ledger.ReceivedDelivered} {
		got, err := d.app.ledger.ReceivedIn(ctx, s, 1)
		if err != nil || len(got) > 0 {
			return err
		}
	}
	d.say("\n3. Un fournisseur envoie une facture à %s", "\n3. A supplier sends %s an invoice", company.Name)
	body := fmt.Sprintf(`{"fiscal_id":%q,"with_pdf":true}`, company.FiscalID)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cfg.API.BaseURL+"/sandbox/supplier-invoices", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the sandbox for a supplier invoice: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the sandbox for a supplier invoice: %s", resp.Status)
	}
	return nil
}

// await waits until a condition holds for a moment.
func (d *demo) await(ctx context.Context, condition func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoPatience, errors.New("the demo did not settle"))
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for quiet := 0; quiet < 3; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		holds, err := condition(ctx)
		if err != nil {
			return err
		}
		if quiet++; !holds {
			quiet = 0
		}
	}
	return nil
}

// sent tells whether every export was read and every invoice sent.
func (d *demo) sent(ctx context.Context) (bool, error) {
	files, err := d.app.ledger.Files(ctx, 1000)
	if err != nil || len(files) < d.expected {
		return false, err
	}
	return d.app.outbox.Idle(ctx)
}

// done tells whether, besides, every invoice is at its last state, the
// supplier's is delivered and every answer published.
func (d *demo) done(ctx context.Context) (bool, error) {
	if sent, err := d.sent(ctx); err != nil || !sent {
		return false, err
	}
	if settled, err := d.app.inbox.Settled(ctx); err != nil || !settled {
		return false, err
	}
	owed, err := d.app.ledger.PublicationsDue(ctx, 1)
	if err != nil || len(owed) > 0 {
		return false, err
	}
	figures, err := d.app.ledger.Status(ctx)
	if err != nil {
		return false, err
	}
	open, delivered := 0, 0
	for _, f := range figures {
		open += f.Platform[connector.StateNew] + f.Platform[connector.StateSent] + f.Platform[""]
		delivered += f.Received[ledger.ReceivedDelivered]
	}
	return open == 0 && delivered > 0, nil
}

// conclude says what was sent, that nothing went twice, and where every file is.
func (d *demo) conclude() {
	books := d.box.Books()
	d.say("\nTout est réglé. La plateforme a %d factures, dont %d nouvelles ; envoyées deux fois : %d.",
		"\nEverything is settled. The platform has %d invoices, %d of them new; sent twice: %d.", len(books.Documents), len(books.Documents)-d.before, len(books.Twice()))
	if d.before > 0 && len(books.Documents) == d.before {
		d.say("Les mêmes exports ont été déposés à nouveau : rien n'a été envoyé une deuxième fois.", "The same exports were dropped again: nothing was sent a second time.")
	}
	d.say("\nOù sont les fichiers, dans %s :", "\nWhere the files are, in %s:", d.dir)
	root := os.DirFS(d.dir)
	_ = fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(e.Name(), ".") && path != "." || path == "data" {
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !e.IsDir() {
			fmt.Fprintf(d.out, "  %s\n", path)
		}
		return nil
	})
}
