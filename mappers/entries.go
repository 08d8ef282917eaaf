package mappers

import (
	"bytes"
	"strings"

	"einvoice/connector/problem"
)

// entriesKind knows the files of accounting entries that people drop in place of
// invoices, by how they begin; "" for any other.
func entriesKind(head []byte) string {
	text := strings.ToUpper(string(bytes.TrimLeft(head[:min(len(head), 4096)], "\xef\xbb\xbf \t\r\n")))
	text = strings.ReplaceAll(text, `"`, "")
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.HasPrefix(text, "EXTF;"), strings.HasPrefix(text, "DTVF;"):
		return "DATEV"
	case strings.HasPrefix(text, "!") && (strings.Contains(text, "!TRNS\t") || strings.Contains(text, "!SPL\t") || strings.HasPrefix(text, "!HDR") || strings.HasPrefix(text, "!ACCNT")):
		return "QuickBooks IIF"
	case strings.HasPrefix(first, "JOURNALCODE") && strings.Contains(first, "ECRITURENUM"):
		return "FEC"
	case strings.HasPrefix(text, "##FICHIER\tRIMPORT"):
		return "Ciel / Sage 50"
	}
	return ""
}

// entries is the problem of such a file, nil for any other.
func entries(file string, head []byte) error {
	kind := entriesKind(head)
	if kind == "" {
		return nil
	}
	return problem.Problem{Code: codeEntries, Severity: problem.Refuse, Value: kind, Position: problem.Position{File: file}}
}
