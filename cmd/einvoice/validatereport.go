package main

import (
	_ "embed"
	"encoding/csv"
	"html/template"
	"io"
	"strconv"
	"strings"

	"einvoice/connector"
	"einvoice/connector/problem"
	sheet "einvoice/connector/workbook" // the demo has a function workbook
)

// csvReport opens in Excel by a double click, in French and English alike: a
// byte order mark, semicolons, nothing that is taken for a formula.
type csvReport struct {
	lang  problem.Lang
	out   io.Writer
	w     *csv.Writer
	begun bool
}

func newCSVReport(lang problem.Lang, out io.Writer) *csvReport {
	w := csv.NewWriter(out)
	w.Comma, w.UseCRLF = ';', true
	return &csvReport{lang: lang, out: out, w: w}
}

func (c *csvReport) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	if _, err := io.WriteString(c.out, "\xef\xbb\xbf"); err != nil {
		return err
	}
	head := "file invoice sheet row column severity code rule field bt value expected error what_to_do"
	if c.lang == problem.French {
		head = "fichier facture feuille ligne colonne gravite code regle champ bt valeur attendu erreur correction"
	}
	return c.w.Write(strings.Fields(head))
}

func (c *csvReport) file(r *fileReport) error {
	if err := c.begin(); err != nil {
		return err
	}
	for _, p := range r.Problems {
		at, row := p.Position, ""
		if at.Row > 0 {
			row = strconv.Itoa(at.Row)
		}
		column := at.Column
		if at.Path != "" {
			column = at.Path
		}
		cells := []string{r.Name, p.Invoice, at.Sheet, row, column, string(p.Severity), p.Code, p.Rule, p.Field, p.BT,
			p.Value, p.Expected, p.Message, p.Remedy}
		for i := range cells {
			cells[i] = defused(cells[i])
		}
		if err := c.w.Write(cells); err != nil {
			return err
		}
	}
	c.w.Flush()
	return c.w.Error()
}

func (c *csvReport) end() error {
	c.w.Flush()
	return c.w.Error()
}

// defused keeps a spreadsheet from taking a text for a formula; numbers stay.
func defused(s string) string {
	if _, err := connector.ParseAmount(s); err == nil {
		return s
	}
	return sheet.Defused(s)
}

//go:embed validate.html
var validatePage string

// htmlReport is for a printer: one page for each file with problems, then one
// with all files.
type htmlReport struct {
	out   io.Writer
	page  *template.Template
	begun bool
	files []fileReport // without their problems
}

func newHTMLReport(lang problem.Lang, out io.Writer) *htmlReport {
	page := template.Must(template.New("validate").Funcs(template.FuncMap{
		"say":      func(fr, en string) string { return say(lang, fr, en) },
		"severity": func(s problem.Severity) string { return severityWord(s, lang) },
		"summary":  func(r *fileReport) string { return summary(r, lang) },
		"lang":     func() string { return string(lang) },
	}).Parse(validatePage))
	return &htmlReport{out: out, page: page}
}

func (h *htmlReport) begin() error {
	if h.begun {
		return nil
	}
	h.begun = true
	return h.page.ExecuteTemplate(h.out, "head", nil)
}

func (h *htmlReport) file(r *fileReport) error {
	if err := h.begin(); err != nil {
		return err
	}
	counts := *r
	counts.Problems = nil
	h.files = append(h.files, counts)
	if len(r.Problems) == 0 {
		return nil
	}
	return h.page.ExecuteTemplate(h.out, "file", r)
}

func (h *htmlReport) end() error {
	if err := h.begin(); err != nil {
		return err
	}
	list := make([]*fileReport, len(h.files))
	for i := range h.files {
		list[i] = &h.files[i]
	}
	return h.page.ExecuteTemplate(h.out, "end", list)
}
