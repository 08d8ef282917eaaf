package drop

import (
	"slices"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

func TestJunkIsNeverAnExport(t *testing.T) {
	for _, name := range []string{
		"~$orders.xlsx", ".~lock.orders.ods#", "orders.csv.tmp", "~wrl0001.TMP", "orders.csv.part", "orders.csv.filepart",
		"orders.csv.writing", "orders.csv.camelLock", "Thumbs.db", "THUMBS.DB", "desktop.ini", ".DS_Store", "._orders.csv",
		"orders.csv.crdownload", "orders.partial", ".nfs0001", ".orders.csv.swp", "orders.csv.swp", "orders.csv~", "#orders.csv#",
		".sftpgo-upload.x.csv", ".ocTransferId12.part", "x.downloading", "x.LOCK", "x.prg", ".einvoice-owner",
		"LISEZMOI.txt", "README.txt", ".orders.csv.tmp-abcdefgh-abcdefgh",
	} {
		if !Junk(name) {
			t.Errorf("%q would be taken as an export", name)
		}
	}
	for _, name := range []string{"orders.csv", "ORDERS.XLSX", "tmp.csv", "a~b.csv", "lock.xml", "parts.csv", "readme.csv", "x.txt", "export"} {
		if Junk(name) {
			t.Errorf("%q would never be read", name)
		}
	}
}

func TestUsableNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a.csv": true, "facture été.csv": true, strings.Repeat("x", maxName): true,
		"": false, "a\nb.csv": false, "a\x00.csv": false, "fact\xe9.csv": false, "a/b": false, `a\b`: false,
		"a.csv ": false, "a.csv.": false, strings.Repeat("x", maxName+1): false,
	} {
		if usable(name) != want {
			t.Errorf("usable(%q) = %v", name, !want)
		}
	}
}

func TestNaturalOrder(t *testing.T) {
	want := []string{"1.csv", "2.csv", "10.csv", "A1.csv", "a2.csv", "a02.csv", "a10.csv", "a10b.csv", "b.csv", "b99999999999999999999998.csv", "b99999999999999999999999.csv", "é.csv"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareNatural)
	// a2 and a02 are the same number: bytes decide, so that the order is total.
	want[4], want[5] = "a02.csv", "a2.csv"
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestEveryReasonHasItsTexts(t *testing.T) {
	codes := []string{
		codeEmpty, codeUnreadable, codeGrowing, codeLocked, codePerson, codeNoEnd, codeNoTrigger, codeOrphan,
		codeOtherOwner, codeName, codeNotIncluded, codeSettling, codeLockFile, "E1014", "E1015", "E1016",
	}
	for _, code := range codes {
		p := problem.Problem{
			Code: code, Value: "v", Expected: "e", Position: problem.Position{File: "f.csv"},
			Args: map[string]string{"why": "w", "place": "p", "host": "h", "pid": "1", "heartbeat": "t"},
		}
		for _, lang := range []problem.Lang{problem.French, problem.English} {
			for _, text := range []string{p.Message(lang), p.Remedy(lang)} {
				if text == "" || text == code || strings.ContainsAny(text, "{}") {
					t.Errorf("%s in %s: %q", code, lang, text)
				}
			}
		}
	}
}
