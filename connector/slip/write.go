package slip

import (
	"cmp"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/workbook"
)

// Name is the slip's file name; ext has its dot.
func Name(company string, day connector.Date, ext string) string {
	return "slip_" + company + "_" + string(day) + ext
}

// line is a line of both files.
type line struct {
	About, What, Currency, Count string
	Net, Tax, Gross              connector.Amount
	Note                         string
}

// WriteCSV writes the slip for staff: UTF-8 with its mark, ";", the decimal
// comma in French.
func (s *Slip) WriteCSV(w io.Writer, lang problem.Lang) error {
	words := wordsOf(lang)
	t := workbook.Table{Decimal: words.decimal}
	for _, title := range words.columns {
		t.Columns = append(t.Columns, workbook.Column{Title: title})
	}
	t.Rows = func(yield func(workbook.Row, error) bool) {
		for _, l := range s.lines(words) {
			if !yield(workbook.Row{Cells: []any{l.About, l.What, l.Currency, l.Count, l.Net, l.Tax, l.Gross, l.Note}}, nil) {
				return
			}
		}
	}
	return t.WriteCSV(w)
}

// WriteHTML writes the same for a browser and a printer: one file, nothing to load.
func (s *Slip) WriteHTML(w io.Writer, lang problem.Lang) error {
	words := wordsOf(lang)
	page, err := template.New("slip").Funcs(template.FuncMap{
		"amount": func(a connector.Amount) string { return strings.ReplaceAll(a.String(), ".", words.decimal) },
	}).Parse(html)
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{
		"Lang": string(lang), "Title": words.title + " " + s.Company, "From": s.From.Format(time.DateTime), "To": s.To.Format(time.DateTime),
		"Columns": words.columns, "Lines": s.lines(words), "Balanced": s.Balanced(), "Words": words.verdicts,
	})
}

const html = `<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}.ok{color:#060}.bad{color:#a00}</style></head><body>
<h1>{{.Title}}</h1><p>{{.From}} – {{.To}}</p>
<p class="{{if .Balanced}}ok{{else}}bad{{end}}">{{if .Balanced}}{{index .Words 0}}{{else}}{{index .Words 1}}{{end}}</p>
<table><tr>{{range .Columns}}<th>{{.}}</th>{{end}}</tr>
{{range .Lines}}<tr><td>{{.About}}</td><td>{{.What}}</td><td>{{.Currency}}</td><td class="n">{{.Count}}</td><td class="n">{{amount .Net}}</td><td class="n">{{amount .Tax}}</td><td class="n">{{amount .Gross}}</td><td>{{.Note}}</td></tr>
{{end}}</table></body></html>
`

// Balanced tells whether everything dropped is accounted for and nothing is
// left to do: all of it left, or never had to.
func (s *Slip) Balanced() bool {
	return len(s.Unread) == 0 && len(s.Fates[Refused])+len(s.Fates[Conflict])+len(s.Fates[Held])+len(s.Fates[Waiting]) == 0
}

func (s *Slip) lines(w words) (list []line) {
	add := func(about, what, currency string, sum *Sum) {
		pad := func(d decimal.Decimal) connector.Amount {
			return connector.AmountOf(d.Pad(connector.MinorUnit(currency)))
		}
		one := line{About: about, What: what, Currency: currency, Count: strconv.Itoa(sum.Invoices), Note: w.beyond}
		if !sum.Beyond {
			one.Net, one.Tax, one.Gross, one.Note = pad(sum.Net), pad(sum.Tax), pad(sum.Gross), ""
		}
		list = append(list, one)
	}
	for _, currency := range s.Currency {
		add(w.dropped, "", currency, s.Dropped[currency])
	}
	for _, fate := range fates() {
		if len(s.Fates[fate]) == 0 {
			list = append(list, line{About: w.fate, What: w.fates[fate], Count: "0"})
		}
		for _, currency := range s.Currency {
			if sum := s.Fates[fate][currency]; sum != nil {
				add(w.fate, w.fates[fate], currency, sum)
			}
		}
	}
	for _, r := range s.Rates {
		rate := strings.ReplaceAll(r.Rate, ".", w.decimal) + " %"
		if r.Rate == "" {
			rate = w.noRate
		}
		add(w.rate, rate, r.Currency, &r.Sum)
	}
	for _, f := range s.Files {
		list = append(list, controls(w, f)...)
	}
	for _, name := range s.Unread {
		list = append(list, line{About: w.unread, What: name})
	}
	for _, g := range s.Gaps {
		list = append(list, line{About: w.gap, What: g.First + " – " + g.Last})
	}
	if s.MoreGaps {
		list = append(list, line{About: w.gap, What: w.more})
	}
	return list
}

// controls are the totals that the ERP gave with an export, beside ours; where
// it gave none there is nothing to compare, and nothing to check.
func controls(w words, f ledger.File) (list []line) {
	list = append(list, line{About: w.export, What: f.Name, Note: w.take + " " + strconv.FormatInt(f.Take, 10)})
	for _, c := range f.Controls {
		if c.Stated == "" {
			continue
		}
		note := w.same
		if c.Stated != c.Computed {
			note = w.differs
		}
		name := cmp.Or(w.controls[c.Name], c.Name)
		list = append(list, line{About: w.control, What: f.Name + " : " + name, Note: w.figure(c.Stated) + " / " + w.figure(c.Computed) + " " + note})
	}
	return list
}

type words struct {
	title, decimal, dropped, fate, rate, noRate, unread, gap, more, beyond, export, take, control, same, differs string
	columns, verdicts                                                                                            []string
	fates                                                                                                        map[Fate]string
	controls                                                                                                     map[string]string // by their names in a mapping
}

// figure is one as staff write it.
func (w words) figure(text string) string { return strings.Replace(text, ".", w.decimal, 1) }

func wordsOf(lang problem.Lang) words {
	if lang == problem.French {
		return words{
			title: "Bordereau du jour :", decimal: ",", dropped: "Déposées", fate: "dont", rate: "Transmises, par taux", noRate: "sans taux",
			unread: "Export illisible", gap: "Numéros manquants", more: "et d'autres, non cherchés", beyond: "montants trop grands pour être additionnés", export: "Export", take: "dépôt n°", control: "Total de contrôle (annoncé / calculé)",
			same: "✓", differs: "≠ à vérifier",
			columns:  []string{"Rubrique", "Détail", "Devise", "Nombre", "HT", "TVA", "TTC", "Remarque"},
			verdicts: []string{"Tout ce qui devait partir est parti.", "Tout n'est pas parti : voyez les lignes ci-dessous."},
			fates: map[Fate]string{Sent: "transmises", Refused: "refusées", Conflict: "en conflit", Duplicate: "doublons",
				Superseded: "remplacées", Ignored: "ignorées", Held: "retenues", Waiting: "en attente"},
			controls: map[string]string{"count": "documents", "total": "total TTC"},
		}
	}
	return words{
		title: "Slip of the day:", decimal: ".", dropped: "Dropped", fate: "of which", rate: "Sent, by rate", noRate: "no rate",
		unread: "Export that could not be read", gap: "Missing numbers", more: "and others, not looked for", beyond: "amounts too large to be added up", export: "Export", take: "drop no.", control: "Control total (stated / computed)",
		same: "✓", differs: "≠ to check",
		columns:  []string{"About", "Detail", "Currency", "Count", "Net", "VAT", "Gross", "Remark"},
		verdicts: []string{"All that had to leave has left.", "Not everything has left: see the lines below."},
		fates: map[Fate]string{Sent: "sent", Refused: "refused", Conflict: "in conflict", Duplicate: "duplicates",
			Superseded: "superseded", Ignored: "ignored", Held: "held", Waiting: "waiting"},
		controls: map[string]string{"count": "documents", "total": "total with VAT"},
	}
}
