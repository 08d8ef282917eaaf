package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/mappers"
	"einvoice/outbox"
)

// previewOptions are the flags of preview.
type previewOptions struct {
	config, mapping string
	json, explain   bool
}

func previewCommand(s streams) *cobra.Command {
	var opt previewOptions
	cmd := &cobra.Command{
		Use:   "preview FILE",
		Short: "Show what a file would become, without sending it",
		Long: `Preview maps and checks a file and shows each invoice as an accountant would
read it. Nothing is recorded and nothing is sent. Without a configuration the
built-in presets are used. Exit codes: 0 all would go, 3 some would be refused.`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPreview(opt, s.out)
			if err != nil {
				return err
			}
			return p.run(cmd.Context(), args[0])
		},
	}
	configFlag(cmd, &opt.config)
	cmd.Flags().StringVar(&opt.mapping, "mapping", "", "name or file of the mapping; default: the one that matches")
	cmd.Flags().BoolVar(&opt.json, "json", false, "print the JSON that would be sent, one invoice a line")
	cmd.Flags().BoolVar(&opt.explain, "explain", false, "also say where every value came from, and what of the file is not used")
	return cmd
}

type preview struct {
	opt      previewOptions
	cfg      *Config
	mappings tiers
	checks   outbox.Checks
	out      io.Writer
	refused  int
	total    int
	unmapped map[string][]string // codes by value table
	bad      map[int]bool        // ordinals of what is refused
}

func newPreview(opt previewOptions, out io.Writer) (*preview, error) {
	cfg, err := configOrDefaults(opt.config)
	if err != nil {
		return nil, err
	}
	p := &preview{opt: opt, out: out, cfg: cfg, bad: map[int]bool{}}
	p.checks = outbox.Checks{Companies: cfg.companies(), AnySeller: len(cfg.Companies) == 0, Rules: cfg.Rules, Safety: cfg.Safety,
		Today: connector.DateOf(time.Now().In(cfg.location()))}
	if p.mappings, err = p.choose(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *preview) choose() (tiers, error) {
	if strings.HasSuffix(p.opt.mapping, ".toml") {
		m, err := loadMapping(p.opt.mapping, p.cfg.Language)
		return tiers{{m}}, err
	}
	all, err := loadMappings(p.cfg)
	if err != nil {
		return nil, err
	}
	if p.opt.mapping == "" { // as a drop chooses
		var names []string
		for _, d := range p.cfg.Drops {
			names = append(names, d.Mapping...)
		}
		return all.named(names)
	}
	return all.named([]string{p.opt.mapping})
}

func (p *preview) run(ctx context.Context, path string) error {
	report, m, err := p.read(ctx, path, p.show)
	if err != nil {
		return p.unreadable(err)
	}
	for _, pr := range report.Problems {
		p.problem(pr)
	}
	p.explainFile(report)
	if !p.opt.json {
		fmt.Fprint(p.out, p.cfg.say("%d invoice(s), %d refused; mapping %s", p.total, p.refused, m.Name))
		if report.Encoding != "" { // a workbook has none
			fmt.Fprint(p.out, p.cfg.say(", encoding %s", report.Encoding))
		}
		fmt.Fprintln(p.out)
	}
	if p.refused > 0 || report.Refused() {
		return exitError(exitRefused)
	}
	return nil
}

// read chooses the mapping of a file and visits its invoices, one after the
// other.
func (p *preview) read(ctx context.Context, path string, visit func(r mappers.Result, file string) error) (mappers.Report, *mappers.Mapping, error) {
	info, err := os.Stat(path)
	if err != nil {
		return mappers.Report{}, nil, err
	}
	e := mappers.Export{Name: filepath.Base(path), Original: drop.Original(filepath.Base(path)), Size: info.Size(),
		Open:   func() (io.ReadSeekCloser, error) { return os.Open(path) },
		Beside: func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(filepath.Dir(path), name)) }}
	if err := p.together(path, &e); err != nil {
		return mappers.Report{}, nil, err
	}
	m, err := p.mappings.choose(e, p.opt.mapping != "")
	if err != nil {
		return mappers.Report{}, nil, err
	}
	report, err := m.Read(ctx, e, func(r mappers.Result) error { return visit(r, e.Name) })
	return report, m, err
}

// together adds the files of the folder that belong to an export of several of
// which path is one.
func (p *preview) together(path string, e *mappers.Export) error {
	of, group, ok := mappers.PartOf(e.Name, p.mappings...)
	if !ok {
		return nil
	}
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, f := range all {
		if g, part := of.PartOf(f.Name()); part && strings.EqualFold(g, group) {
			full := filepath.Join(filepath.Dir(path), f.Name())
			e.Parts = append(e.Parts, mappers.Export{Name: f.Name(), Open: func() (io.ReadSeekCloser, error) { return os.Open(full) }})
		}
	}
	if missing := of.Lacks(names(e.Parts)); len(missing) > 0 {
		return problem.Problem{Code: "E1020", Severity: problem.Refuse, Expected: strings.Join(missing, ", "), Position: problem.Position{File: e.Name}}
	}
	return nil
}

func names(parts []mappers.Export) (all []string) {
	for _, p := range parts {
		all = append(all, p.Name)
	}
	return all
}

// unreadable shows a problem of the whole file as such, any other error as it is.
func (p *preview) unreadable(err error) error {
	var pr problem.Problem
	if !errors.As(err, &pr) {
		return err
	}
	p.problem(pr)
	return exitError(exitRefused)
}

func (p *preview) show(r mappers.Result, file string) error {
	staged := outbox.Judge(r, file, p.checks)
	p.total++
	if staged.Verdict == ledger.VerdictRefused {
		p.refuse(r.Ordinal)
	}
	late := r.Spoils != 0 && p.refuse(r.Spoils)
	if p.opt.json {
		return p.showJSON(staged, late)
	}
	p.explain(r)
	if err := p.showText(staged, r); err != nil || !late {
		return err
	}
	_, err := fmt.Fprint(p.out, p.cfg.say("  The invoice %s that is shown further up is refused as well.\n\n", staged.Invoice.Number))
	return err
}

// refuse counts an invoice as refused, once.
func (p *preview) refuse(ordinal int) bool {
	if p.bad[ordinal] {
		return false
	}
	p.bad[ordinal] = true
	p.refused++
	return true
}

// explain says where every value of an invoice came from, in the order of the file.
func (p *preview) explain(r mappers.Result) {
	p.note(r)
	if !p.opt.explain {
		return
	}
	origins := r.Origins.All()
	fields := slices.Sorted(maps.Keys(origins))
	slices.SortStableFunc(fields, func(a, b string) int {
		return cmp.Compare(origins[a].Position.Row, origins[b].Position.Row)
	})
	w := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	for _, field := range fields {
		if o := origins[field]; field != "" && o.Value != "" {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", field, problem.Problem{Position: o.Position}.Where(p.cfg.lang()), clip(strings.Join(strings.Fields(o.Value), " "), 60))
		}
	}
	w.Flush()
}

// note keeps the codes that no value table knows.
func (p *preview) note(r mappers.Result) {
	for _, pr := range r.Problems {
		if table := pr.Args["table"]; table != "" {
			if p.unmapped == nil {
				p.unmapped = map[string][]string{}
			}
			p.unmapped[table] = append(p.unmapped[table], pr.Value)
		}
	}
}

// explainFile says what of the file is not used, and what the mapping lacks.
func (p *preview) explainFile(report mappers.Report) {
	if !p.opt.explain || p.opt.json {
		return
	}
	if len(report.Unused) > 0 {
		fmt.Fprint(p.out, p.cfg.say("columns not used: %s\n", strings.Join(report.Unused, ", ")))
	}
	for _, table := range slices.Sorted(maps.Keys(p.unmapped)) {
		codes := p.unmapped[table]
		slices.Sort(codes)
		fmt.Fprint(p.out, p.cfg.say("codes missing from [map.%s]: %s\n", table, strings.Join(slices.Compact(codes), ", ")))
	}
	fmt.Fprint(p.out, p.cfg.say("%d row(s) read, %d line(s), %d document(s) left out by the mapping\n", report.Rows, report.Controls.Lines, report.Controls.Ignored))
}

// showJSON writes one line; late says that the invoice of this number in an
// earlier line is refused as well.
func (p *preview) showJSON(s ledger.StagedInvoice, late bool) error {
	line := struct {
		Row      int               `json:"row"`
		Verdict  ledger.Verdict    `json:"verdict"`
		Body     json.RawMessage   `json:"body,omitempty"`
		Problems []problem.Problem `json:"problems,omitempty"`
		Earlier  bool              `json:"refuses_earlier,omitempty"`
	}{Row: s.Row, Verdict: s.Verdict, Problems: s.Problems, Earlier: late}
	if s.Verdict != ledger.VerdictRefused {
		body, err := api.Marshal(s.Invoice)
		if err != nil {
			return err
		}
		line.Body = body
	}
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(line)
}

func (p *preview) showText(s ledger.StagedInvoice, r mappers.Result) error {
	inv := &s.Invoice
	fmt.Fprint(p.out, p.cfg.say("%s %s  %s  (row %s)  %s\n", p.cfg.say(title(inv)), inv.Number, inv.IssueDate, s.Rows, p.cfg.say(string(s.Verdict))))
	fmt.Fprint(p.out, p.cfg.say("  from %s %s\n  to   %s %s %s\n", inv.Seller.Name, inv.Seller.FiscalID, inv.Buyer.Name, inv.Buyer.FiscalID, inv.Buyer.Address.City))
	f := p.cfg.figure
	w := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, l := range inv.Lines {
		fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\t%s%%\t  %s\n", f(plain(l.Quantity, 0)), l.Unit, f(plain(l.UnitPrice, 2)), f(l.Net), f(plain(l.Rate, 0)), clip(l.Description, 60))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, t := range inv.Taxes {
		fmt.Fprint(p.out, p.cfg.say("  VAT %s%% of %s: %s\n", f(plain(t.Rate, 0)), f(t.Taxable), f(t.Tax)))
	}
	fmt.Fprint(p.out, p.cfg.say("  net %s  VAT %s  total %s %s\n", f(inv.Totals.Net), f(inv.Totals.Tax), f(inv.Totals.Gross), inv.Currency))
	if r.Ignored == "" && !incomplete(r) {
		p.totalsCheck(r.Invoice)
	}
	if n := len(inv.Attached); n > 0 {
		var names []string
		for _, a := range inv.Attached {
			names = append(names, a.Filename)
		}
		fmt.Fprint(p.out, p.cfg.say("  %d attachment(s): %s\n", n, strings.Join(names, ", ")))
	}
	said := map[string]bool{} // a key that two fields look up is missing once
	for _, pr := range s.Problems {
		if text := pr.Code + pr.Where(p.cfg.lang()) + pr.Message(p.cfg.lang()); !said[text] {
			said[text] = true
			p.problem(pr)
		}
	}
	_, err := fmt.Fprintln(p.out)
	return err
}

func (p *preview) problem(pr problem.Problem) {
	if p.opt.json && pr.Invoice != "" {
		return // stands in its invoice's line
	}
	lang := p.cfg.lang()
	fmt.Fprintf(p.out, "  %s %s: %s: %s\n      → %s\n", p.cfg.say(string(pr.Severity)), pr.Code, pr.Where(lang), pr.Message(lang), pr.Remedy(lang))
}

func title(inv *connector.Invoice) string {
	if inv.IsCredit() {
		return "credit note"
	}
	return "invoice"
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
