package inbox

import (
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

func TestSafeName(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a plain name stays", "Boulangerie Dupré 2026", "Boulangerie Dupré 2026"},
		{"a path is no way out", "../../etc/passwd", "-..-etc-passwd"},
		{"a Windows path is no way out", `C:\Windows\x`, "C--Windows-x"},
		{"a device is no file", "CON", "_CON"},
		{"a device with an extension is no file", "nul.tar.gz", "_nul.tar.gz"},
		{"a device before blanks is no file", "com1 .txt", "_com1 .txt"},
		{"a superscript port is a device", "LPT².txt", "_LPT².txt"},
		{"COM10 is no device", "COM10", "COM10"},
		{"no dot or space at the end", "SARL Dupont. . ", "SARL Dupont"},
		{"no hidden file", ".bashrc", "bashrc"},
		{"no Office lock file", "~$compte.xlsx", "$compte.xlsx"},
		{"turned text is straightened", "facture\u202Efdp.exe", "facturefdp.exe"},
		{"zero width characters go", "a\u200Bb\uFEFFc\u2060", "abc"},
		{"decomposed is composed", "Dupre\u0301", "Dupré"},
		{"composed after a character went", "e\u200D\u0301", "é"},
		{"control characters go", "a\x00b\x1fc\x7f", "abc"},
		{"line ends are blanks", "a\r\nb\tc", "a b c"},
		{"broken UTF-8", "a\xff\xfeb", "a_b"},
		{"nothing left", "\u202e...", "_"},
		{"empty", "", "_"},
		{"forbidden ones", `<>:"/\|?*`, "---------"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := safeName(tt.text, nameMost); got != tt.want {
				t.Errorf("safeName(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestNamesAreCutBetweenCharacters(t *testing.T) {
	if got := safeName(strings.Repeat("é", 50), 10); got != strings.Repeat("é", 10) {
		t.Errorf("got %q", got)
	}
	// A pair of UTF-16 units is not parted.
	if got := safeName(strings.Repeat("𝕏", 50), 11); got != strings.Repeat("𝕏", 5) {
		t.Errorf("got %q", got)
	}
	// Nor is a letter from its accents.
	if got := safeName("abcq\u0323\u0301", 5); got != "abc" {
		t.Errorf("got %q", got)
	}
	if got := safeName(strings.Repeat("語", 200), 200); len(got) > byteMost {
		t.Errorf("%d bytes, Linux takes 255 for a name and its temporary twin", len(got))
	}
	if got := safeName("CONSTANT", 3); device(got) || len(got) > 3 {
		t.Errorf("cutting made the device %q", got)
	}
}

// hostile makes texts of the parts that break names.
func hostile(r *rand.Rand) string {
	parts := []string{
		"/", `\`, "..", ".", " ", ":", "*", "?", `"`, "<", ">", "|", "\x00", "\x1b", "\n", "\u202e", "\u2066", "\u200d",
		"CON", "nul", "COM1", "LPT¹", "aux.", "~$", "%2e%2e", "é", "e\u0301", "語", "𝕏", "👩‍👩‍👧", "\xff", "\xed\xa0\x80", "\ufffe",
		"\u0301", "\u034f", "\u3164", "facture", "SARL", ".pdf", ".exe", "-", "'", "$(x)", "`", "=1+1", "\u2028", "\u00a0", "ﷺ", "İ", "ß",
	}
	var b strings.Builder
	for range r.IntN(40) {
		if r.IntN(4) == 0 {
			b.WriteRune(rune(r.IntN(0x110000)))
			continue
		}
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

// badOnWindows says why Windows would refuse or change a name.
func badOnWindows(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "no name"
	case !utf8.ValidString(name):
		return "not UTF-8"
	case strings.ContainsAny(name, `<>:"/\|?*`):
		return "forbidden character"
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "ends in a dot or blank"
	case strings.HasPrefix(name, "."):
		return "hidden"
	case device(name):
		return "device"
	case len(name) > 255:
		return "too long"
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return "control or direction character"
		}
	}
	return ""
}

// TestHostileNamesStayInsideAndValid: EINVOICE_NAMES is their number.
func TestHostileNamesStayInsideAndValid(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("EINVOICE_NAMES"))
	if err != nil {
		count = 10_000
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	w := wordsOf(problem.French)
	root := filepath.Join(string(filepath.Separator), "srv", "einvoice", "recues")
	for range count {
		text := hostile(rnd)
		name := safeName(text, nameMost)
		if why := badOnWindows(name); why != "" {
			t.Fatalf("safeName(%q) = %q: %s", text, name, why)
		}
		if again := safeName(name, nameMost); again != name {
			t.Fatalf("safeName(%q) = %q, and of that %q: not stable", text, name, again)
		}
		if length(name) > nameMost {
			t.Fatalf("safeName(%q) has %d units", text, length(name))
		}
		r := ledger.Received{Supplier: text, Number: hostile(rnd), IssueDate: "2026-05-12", Currency: hostile(rnd), APIID: hostile(rnd),
			Gross: connector.MustAmount("61.20"), ReceivedAt: time.Date(2026, 5, 14, 0, 0, 0, 0, time.UTC)}
		folder := folderName(w, r, 80)
		if why := badOnWindows(folder); why != "" || length(folder) > 80 {
			t.Fatalf("folderName of %q = %q: %s", text, folder, why)
		}
		if tail := withTail(folder, r.APIID, 2, 80); badOnWindows(tail) != "" || length(tail) > 80 {
			t.Fatalf("withTail of %q = %q: %s", folder, tail, badOnWindows(tail))
		}
		whole := filepath.Join(root, "2026-05", folder)
		if filepath.Dir(filepath.Dir(whole)) != root || !filepath.IsLocal(folder) {
			t.Fatalf("%q leaves the inbox", whole)
		}
		flat := "2026-05/" + folderName(w, r, flatMost)
		for _, f := range []string{extended(text, ".bin", flatInside) + ".txt", extended(text, ".pdf", flatInside)} {
			if whole := path.Base(flat) + " - " + f; badOnWindows(whole) != "" || len(whole) > byteMost {
				t.Fatalf("flat name of %q = %q: %s", text, whole, badOnWindows(whole))
			}
		}
		file := extended(text, ".pdf", nameLeast)
		if why := badOnWindows(file); why != "" || !strings.EqualFold(filepath.Ext(file), ".pdf") || length(file) > nameLeast {
			t.Fatalf("extended(%q) = %q: %s", text, file, why)
		}
	}
}

func TestTheFolderIsNamedForPeople(t *testing.T) {
	r := ledger.Received{Supplier: "ACME FRANCE SARL", Number: "INV/2026-001", IssueDate: "2026-05-12",
		Gross: connector.MustAmount("61.2"), Currency: "EUR"}
	if got, want := folderName(wordsOf(problem.French), r, nameMost), "2026-05-12 ACME FRANCE SARL INV-2026-001 61,20 EUR"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Supplier = strings.Repeat("Très Longue Raison Sociale ", 9)
	got := folderName(wordsOf(problem.English), r, 60)
	if length(got) > 60 || !strings.HasPrefix(got, "2026-05-12 Tr") || !strings.HasSuffix(got, " INV-2026-001 61.20 EUR") {
		t.Errorf("a long supplier must leave date, number and amount: %q", got)
	}
}

func TestNamesOfOneFolderDifferWithoutRegardToCase(t *testing.T) {
	taken := names{}
	for i, want := range []string{"Facture.pdf", "FACTURE (2).PDF", "facture (3).pdf"} {
		if got := taken.take([]string{"Facture.pdf", "FACTURE.PDF", "facture.pdf"}[i], nameMost); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
