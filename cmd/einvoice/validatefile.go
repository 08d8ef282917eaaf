package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/mappers"
	"einvoice/mappers/seen"
	"einvoice/outbox"
)

// maxShown bounds the problems of one file that a report holds; all are counted.
const maxShown = 10000

type validateOptions struct {
	preview          previewOptions
	format, language string
}

func validateCommand(s streams) *cobra.Command {
	var opt validateOptions
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check files as if they were dropped, and report every problem",
		Long: `Validate maps files, makes every check and reports each problem with its place,
its rule and what to do. Nothing is recorded and nothing is sent. Without a
configuration the built-in presets are used, and every seller is taken for one
of ours. The HTML report prints one page for each file with problems.
Exit codes: 0 all would go, 3 some would be refused.`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return validateFiles(cmd.Context(), opt, s.out, args)
		},
	}
	configFlag(cmd, &opt.preview.config)
	languageFlag(cmd, &opt.language)
	cmd.Flags().StringVar(&opt.preview.mapping, "mapping", "", "name or file of the mapping; default: the one that matches")
	cmd.Flags().StringVar(&opt.format, "format", "text", "text, csv, json or html")
	return cmd
}

// fileReport is all there is to say about one file.
type fileReport struct {
	Name     string        `json:"file"`
	Mapping  string        `json:"mapping,omitempty"`
	Encoding string        `json:"encoding,omitempty"`
	Invoices int           `json:"invoices"`
	Refused  int           `json:"refused"`
	Warned   int           `json:"warned"`
	Ignored  int           `json:"ignored"`
	Held     int           `json:"held"`
	Spoilt   bool          `json:"unreadable"` // refused as a whole
	Problems []problemText `json:"problems"`
	Omitted  int           `json:"problems_omitted,omitempty"`

	clean   int
	counted []fate // by ordinal, what the invoice was counted as
}

// fate is what an invoice is counted as; of a million, one byte each is held.
type fate byte

const (
	isClean fate = iota
	isRefused
	isWarned
	isIgnored
	isHeld
)

// column is where a fate is counted.
func (r *fileReport) column(f fate) *int {
	return []*int{&r.clean, &r.Refused, &r.Warned, &r.Ignored, &r.Held}[f]
}

// bad tells whether something of the file would not go.
func (r *fileReport) bad() bool { return r.Spoilt || r.Refused > 0 }

func (r *fileReport) add(lang problem.Lang, ps ...problem.Problem) {
	for _, p := range ps {
		if len(r.Problems) >= maxShown {
			r.Omitted++
			continue
		}
		r.Problems = append(r.Problems, textOf(p, lang))
	}
}

// reporter writes the reports of files in one format.
type reporter interface {
	file(*fileReport) error
	end() error
}

func newReporter(format string, lang problem.Lang, out io.Writer) (reporter, error) {
	switch format {
	case "text":
		return &textReport{lang: lang, out: out}, nil
	case "csv":
		return newCSVReport(lang, out), nil
	case "json":
		return jsonReport{out}, nil
	case "html":
		return newHTMLReport(lang, out), nil
	}
	return nil, fmt.Errorf("%w: --format is %q, but must be text, csv, json or html", errUsage, format)
}

func validateFiles(ctx context.Context, opt validateOptions, out io.Writer, paths []string) error {
	p, err := newPreview(opt.preview, out)
	if err != nil {
		return err
	}
	lang, err := languageOf(opt.language, p.cfg)
	if err != nil {
		return err
	}
	report, err := newReporter(opt.format, lang, out)
	if err != nil {
		return err
	}
	v := &validation{preview: p, lang: lang, numbers: seen.New("")}
	defer v.numbers.Close()
	p.checks.Earlier = v.earlier
	refused := false
	for _, path := range paths {
		r, err := v.file(ctx, path)
		if err != nil {
			return err
		}
		if err := report.file(r); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		refused = refused || r.bad()
	}
	if err := report.end(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if refused {
		return exitError(exitRefused)
	}
	return nil
}

// validation checks files, and numbers across them.
type validation struct {
	*preview
	lang    problem.Lang
	numbers *seen.Set        // to which invoice each was given, and where
	broken  error            // of numbers
	at      problem.Position // of the invoice under check
}

// earlier remembers an invoice and finds another one of its number. The same
// invoice again is a duplicate, which the daemon leaves out without harm.
func (v *validation) earlier(inv *connector.Invoice) string {
	print := inv.Fingerprint()
	where := problem.Problem{Position: v.at}.Where(v.lang)
	key := inv.Key()
	before, known, err := v.numbers.Put(fmt.Appendf(nil, "%d %s %s", key.Year, key.SIREN, key.Number), []byte(print+" "+where))
	if err != nil {
		v.broken = err
	}
	if first, place, _ := strings.Cut(string(before), " "); known && first != print {
		return place
	}
	return ""
}

func (v *validation) file(ctx context.Context, path string) (*fileReport, error) {
	r := &fileReport{Name: filepath.Base(path), Problems: []problemText{}}
	report, m, err := v.read(ctx, path, func(res mappers.Result, file string) error {
		v.at = problem.Position{File: file, Row: res.Row}
		r.count(outbox.Judge(res, file, v.checks), v.lang)
		r.spoil(res.Spoils)
		return v.broken
	})
	if m != nil {
		r.Mapping = m.Name
	}
	r.Encoding = report.Encoding
	r.Spoilt = report.Refused()
	var whole problem.Problem
	switch {
	case errors.As(err, &whole):
		r.Spoilt = true
		r.add(v.lang, whole)
	case err != nil:
		return nil, err
	}
	r.add(v.lang, report.Problems...)
	return r, nil
}

func (r *fileReport) count(s ledger.StagedInvoice, lang problem.Lang) {
	r.Invoices++
	as := isClean
	switch {
	case s.Verdict == ledger.VerdictRefused:
		as = isRefused
	case s.Verdict == ledger.VerdictIgnored:
		as = isIgnored
	case s.Verdict == ledger.VerdictHeld:
		as = isHeld
	case len(s.Problems) > 0:
		as = isWarned
	}
	*r.column(as)++
	r.counted = append(r.counted, as)
	r.add(lang, s.Problems...)
}

// spoil counts an earlier invoice as refused: the one just read proves that it
// is incomplete.
func (r *fileReport) spoil(ordinal int) {
	if ordinal < 1 || ordinal > len(r.counted) {
		return
	}
	*r.column(r.counted[ordinal-1])--
	r.counted[ordinal-1] = isRefused
	r.Refused++
}

// textReport is for a terminal.
type textReport struct {
	lang problem.Lang
	out  io.Writer
}

func (t *textReport) file(r *fileReport) error {
	fmt.Fprintf(t.out, "%s: %s\n", r.Name, summary(r, t.lang))
	for _, p := range r.Problems {
		words := []string{severityWord(p.Severity, t.lang), p.Code, p.Rule}
		if p.Invoice != "" {
			words = append(words, say(t.lang, "facture", "invoice"), p.Invoice)
		}
		fmt.Fprintf(t.out, "\n  %s\n  %s\n    %s\n    → %s\n",
			strings.Join(strings.Fields(strings.Join(words, " ")), " "), p.Where, p.Message, p.Remedy)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(t.out, "\n  "+say(t.lang, "et %d autres problèmes", "and %d more problems")+"\n", r.Omitted)
	}
	_, err := fmt.Fprintln(t.out)
	return err
}

func (t *textReport) end() error { return nil }

// summary counts in words.
func summary(r *fileReport, lang problem.Lang) string {
	if r.Spoilt {
		return say(lang, "fichier refusé", "file refused")
	}
	return fmt.Sprintf(say(lang,
		"%d facture(s), %d refusée(s), %d avec avertissement, %d laissée(s) de côté, %d à vérifier",
		"%d invoice(s), %d refused, %d with warnings, %d left out, %d held"),
		r.Invoices, r.Refused, r.Warned, r.Ignored, r.Held)
}

func severityWord(s problem.Severity, lang problem.Lang) string {
	switch s {
	case problem.Refuse:
		return say(lang, "REFUS", "REFUSED")
	case problem.Hold:
		return say(lang, "À VÉRIFIER", "HELD")
	}
	return say(lang, "AVERTISSEMENT", "WARNING")
}

// jsonReport writes one object a line.
type jsonReport struct{ out io.Writer }

func (j jsonReport) file(r *fileReport) error { return writeLine(j.out, r) }

func (j jsonReport) end() error { return nil }
