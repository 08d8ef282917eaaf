package setting

import (
	"strings"
	"testing"
)

func TestPositionsOfTablesArraysAndInlineTables(t *testing.T) {
	spots := Positions([]byte("language = 'fr'\n[api]\n  timeout = '1s'\n[[drop]]\npath = 'a'\n[[drop]]\npath = 'b'\n[drop.sub]\nx = { y = 1 }\n"))
	for key, want := range map[string]Spot{
		"language": {1, 1}, "api": {2, 2}, "api.timeout": {3, 3}, "drop[0].path": {5, 1},
		"drop[1]": {6, 3}, "drop[1].path": {7, 1}, "drop[1].sub.x.y": {9, 7},
	} {
		if got := spots[key]; got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
	if got := At(spots, "drop[1].missing"); got != (Spot{6, 3}) {
		t.Errorf("a missing key stands at its section: got %v", got)
	}
}

func TestDecodeNamesEveryUnknownKeyAndTheNearest(t *testing.T) {
	var v struct {
		Timeout string `toml:"timeout"`
		Name    string `toml:"name"`
	}
	faults := Decode([]byte("timeuot = '1s'\nnam = 'x'\n"), &v, []string{"timeout", "name"})
	if len(faults) != 2 {
		t.Fatalf("got %v", faults)
	}
	text := Faults{File: "f.toml", List: faults}.Error()
	for _, want := range []string{"f.toml:1:1: timeuot: unknown key; did you mean timeout?", "f.toml:2:1: nam: unknown key; did you mean name?"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestWindowsPathInDoubleQuotesIsExplained(t *testing.T) {
	var v struct {
		Path string `toml:"path"`
	}
	faults := Decode([]byte(`path = "C:\Users\erp"`), &v, nil)
	if len(faults) != 1 || !strings.Contains(faults[0].Text, "single quotes") {
		t.Errorf("an escape that is none: got %v", faults)
	}
	r := NewReport()
	if faults := Decode([]byte(`path = "C:\temp\new"`), &v, nil); len(faults) != 0 {
		t.Fatalf("TOML reads it: got %v", faults)
	}
	r.Path("path", v.Path)
	if m := r.Mistakes(); len(m) != 1 || !strings.Contains(m[0].Text, "single quotes") {
		t.Errorf("a tab in a path: got %v", m)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	if s := Secret("canary").String(); strings.Contains(s, "canary") {
		t.Error(s)
	}
}

func TestTextInTheEncodingsOfWindows(t *testing.T) {
	const want = "nom = 'Été'\r\n"
	for name, data := range map[string]string{
		"plain":          want,
		"Notepad":        "\xef\xbb\xbf" + want,
		"PowerShell's >": "\xff\xfen\x00o\x00m\x00 \x00=\x00 \x00'\x00\xc9\x00t\x00\xe9\x00'\x00\r\x00\n\x00",
		"big endian":     "\xfe\xff\x00n\x00o\x00m\x00 \x00=\x00 \x00'\x00\xc9\x00t\x00\xe9\x00'\x00\r\x00\n",
	} {
		if got := string(Text([]byte(data))); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestPathsThatWouldBeTakenForOthers are told, and no path that is right.
func TestPathsThatWouldBeTakenForOthers(t *testing.T) {
	for _, c := range []struct {
		path    string
		windows bool
		want    string
	}{
		{`C:\erp\out`, true, ""}, {`C:/erp/out`, true, ""}, {`\\nas\c$\out`, true, ""}, {`//nas/erp/out`, true, ""}, {`drop`, true, ""}, {`a\b`, true, ""}, {"", true, ""},
		{`\exports`, true, "the drive"}, {`/exports`, true, "the drive"}, {`\`, true, "the drive"}, {`C:exports`, true, "the drive"}, {`C:`, true, "the drive"},
		{`/srv/erp/out`, false, ""}, {`drop`, false, ""}, {`/srv/100%/50%`, false, ""}, {`/srv/a$b`, false, ""}, {`/srv/~/x`, false, ""},
		{`C:\erp\out`, false, ""}, {`\\nas\erp`, false, ""}, // checked here for another machine
		{`%PROGRAMDATA%\out`, true, "variables"}, {`D:\%ERP%\out`, true, "variables"}, {`$HOME/out`, false, "variables"}, {`/srv/${ERP}/out`, false, "variables"}, {`~/out`, false, "variables"},
		{"C:\temp", true, ""}, // a tab, of which another mistake tells
		{`sftp://erp@host/d%C3%A9p%C3%B4t`, true, ""}, {`sftp://erp@host/~/out`, false, ""},
	} {
		if got := misread(c.path, c.windows).English; (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q, windows %v: %q, want %q", c.path, c.windows, got, c.want)
		}
	}
}
