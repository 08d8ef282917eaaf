package results

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"einvoice/connector/drop"
)

// maxStem bounds, in bytes, the part of a name that comes from outside. With
// what we append a name stays below 255 bytes, and a path in a folder of usual
// depth below the 218 characters that Excel opens.
const maxStem = 100

// AckName is the name of an export's acknowledgement:
// <export>.<take>.ack.csv, where export is the dropped name with its extension
// and csv is the extension of the place's format.
func AckName(export string, take int64, ext string) string {
	return fmt.Sprintf("%s.%06d.ack.%s", safe(export), take, ext)
}

// SummaryName is the name of an export's summary.
func SummaryName(export string, take int64, ext string) string {
	return fmt.Sprintf("%s.%06d.summary.%s", safe(export), take, ext)
}

// UnreadyName is the name of the answer about a file that is not taken; changed
// is the file's own time, so that each version of a file has one answer.
func UnreadyName(file string, changed time.Time, ext string) string {
	return fmt.Sprintf("%s.%s.waiting.%s", safe(file), changed.UTC().Format("20060102T150405"), ext)
}

// statusName is the name of a status file. The time is written as it stands in
// at's own zone; seq is the number of the file's first line.
func statusName(company string, at time.Time, seq int64, ext string) string {
	return fmt.Sprintf("status_%s_%s_%d.%s", safe(company), at.Format("20060102T150405"), seq, ext)
}

// CopyName is the name of a correctable copy, as drop.CopyOf reads it: kind is "refused", with n counting
// an export's copies from 1, or "held", which has no number. A dot before ext
// may be left out.
func CopyName(export string, take int64, kind string, n int, ext string) string {
	// The copy of a copy is named after the first export.
	name := fmt.Sprintf("%s.%06d.%s", stem(drop.Original(export)), take, kind)
	if kind != "held" {
		name = fmt.Sprintf("%s.%d", name, n)
	}
	return name + "." + strings.TrimPrefix(ext, ".")
}

// IsCopy tells whether a name is that of a correctable copy of an export's take.
func IsCopy(name, export string, take int64) bool {
	return strings.HasPrefix(name, strings.TrimSuffix(CopyName(export, take, "held", 0, ""), "held."))
}

// DoneName is the name of the note beside copies that need no correction any more.
func DoneName(export string, take int64) string {
	return fmt.Sprintf("%s.%06d.refused.done.txt", stem(export), take)
}

// ReportName is the name of the report beside a correctable copy.
func ReportName(export string, take int64, n int) string {
	return CopyName(export, take, "refused", n, "report.csv")
}

// okName is the name of the file that says that name is complete.
func okName(name string) string { return name + ".ok" }

// stem is the export's name without its extension; ".csv" is all stem.
func stem(export string) string {
	bare := strings.TrimSuffix(export, path.Ext(export))
	if bare == "" {
		bare = export
	}
	return safe(bare)
}

// safe makes a part of a file name of a text from outside: valid on Windows and
// Linux, visible (no leading dot), bounded. Different long texts stay different.
func safe(s string) string {
	s = strings.ToValidUTF8(s, "_")
	s = strings.Map(safeRune, s)
	s = strings.TrimRight(s, " ")
	if s == "" || s[0] == '.' || s[0] == ' ' || reserved(s) {
		s = "_" + s
	}
	return bounded(s)
}

func safeRune(r rune) rune {
	if strings.ContainsRune(`<>:"/\|?*`, r) || !unicode.IsPrint(r) && r != '\u00a0' {
		return '_'
	}
	return r
}

// reserved tells the device names of Windows, which stay reserved whatever
// extension follows.
func reserved(s string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(s), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, digit := strings.TrimRight(base, "0123456789¹²³"), ""
	digit = strings.TrimPrefix(base, port)
	return (port == "COM" || port == "LPT") && utf8.RuneCountInString(digit) == 1
}

// bounded cuts a long text in the middle, keeps its extension, and puts in a
// hash of the whole so that two long names cannot become one.
func bounded(s string) string {
	if len(s) <= maxStem {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	ext := path.Ext(s)
	if len(ext) > 10 {
		ext = ""
	}
	tail := "~" + hex.EncodeToString(sum[:4]) + ext
	cut := maxStem - len(tail)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + tail
}
