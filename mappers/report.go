package mappers

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"einvoice/connector/problem"
)

// WriteReport writes the problems as a CSV that Excel opens with a double click
// in French and English alike: a byte order mark, semicolons. Texts that a
// spreadsheet would take for formulas are defused.
func WriteReport(w io.Writer, lang problem.Lang, ps []problem.Problem) error {
	if _, err := io.WriteString(w, "\xef\xbb\xbf"); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	rows := [][]string{reportHeader(lang)}
	for _, p := range ps {
		row := ""
		if p.Position.Row > 0 {
			row = strconv.Itoa(p.Position.Row)
		}
		place := p.Position.Column
		if p.Position.Path != "" {
			place = p.Position.Path
		}
		rows = append(rows, []string{
			p.Invoice, row, place, p.Value, p.Code, string(p.Severity), p.Message(lang), p.Remedy(lang), p.Field,
		})
	}
	for _, r := range rows {
		for i := range r {
			r[i] = defuse(r[i])
		}
		if err := out.Write(r); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func reportHeader(lang problem.Lang) []string {
	if lang == problem.French {
		return []string{"facture", "ligne", "colonne", "valeur", "code", "gravite", "erreur", "correction", "champ"}
	}
	return []string{"invoice", "row", "column", "value", "code", "severity", "error", "how_to_fix", "field"}
}
