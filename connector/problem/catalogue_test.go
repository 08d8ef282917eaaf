package problem

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write codes.golden anew")

func TestEveryCodeHasItsTexts(t *testing.T) {
	shape := regexp.MustCompile(`^E[1-5][0-9]{3}$`)
	seen := map[string]bool{}
	for _, e := range Catalogue() {
		if !shape.MatchString(e.Code) {
			t.Errorf("%q is not E1000 to E5999", e.Code)
		}
		if seen[e.Code] {
			t.Errorf("%s is there twice", e.Code)
		}
		seen[e.Code] = true
		for name, text := range map[string]string{
			"French message": e.MessageFR, "French remedy": e.WhatFR,
			"English message": e.MessageEN, "English remedy": e.WhatEN,
		} {
			if text == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s: %s is empty or has space around it: %q", e.Code, name, text)
			}
		}
		for _, c := range Cases(e.Code) {
			if c.WhatFR == "" || c.WhatEN == "" || c.WhatFR == c.WhatEN || c.WhatFR != strings.TrimSpace(c.WhatFR) || c.WhatEN != strings.TrimSpace(c.WhatEN) {
				t.Errorf("%s: %s = %s says %q and %q", e.Code, c.Arg, c.Is, c.WhatFR, c.WhatEN)
			}
		}
		if e.MessageFR == e.MessageEN {
			t.Errorf("%s says the same in both languages: %q", e.Code, e.MessageFR)
		}
	}
}

func TestEveryPartKeepsToItsRange(t *testing.T) {
	for name, part := range map[string]struct {
		entries []Entry
		prefix  string
	}{
		"file": {fileEntries, "E1"}, "mapping": {mappingEntries, "E2"}, "rule": {ruleEntries, "E3"},
		"platform": {platformEntries, "E4"}, "sending": {sendingEntries, "E5"}, "received": {receivedEntries, "E59"},
	} {
		for _, e := range part.entries {
			if !strings.HasPrefix(e.Code, part.prefix) {
				t.Errorf("%s is among the %s entries, which are %s", e.Code, name, part.prefix)
			}
		}
	}
}

// placeholder is a word that Problem.fill replaces.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func TestPlaceholdersAreFilledBySomebody(t *testing.T) {
	_, words := literals(t)
	for _, word := range []string{"value", "expected", "field", "invoice", "file", "sheet", "row", "column", "path", "rule", "bt"} {
		words[word] = true
	}
	for _, e := range Catalogue() {
		texts := []string{e.MessageFR, e.WhatFR, e.MessageEN, e.WhatEN}
		for _, c := range Cases(e.Code) {
			texts = append(texts, "{"+c.Arg+"}", c.WhatFR, c.WhatEN)
		}
		for _, text := range texts {
			for _, p := range placeholder.FindAllString(text, -1) {
				if word := strings.Trim(p, "{}"); !words[word] {
					t.Errorf("%s: nothing in the code gives %s: %q", e.Code, p, text)
				}
			}
		}
		if fr, en := placeholders(e.MessageFR), placeholders(e.MessageEN); !slices.Equal(fr, en) {
			t.Errorf("%s: the French message has %v, the English one %v", e.Code, fr, en)
		}
	}
}

// placeholders lists those of a text; {state_fr} and {state_en} are one word.
func placeholders(text string) []string {
	text = strings.NewReplacer("_fr}", "}", "_en}", "}").Replace(text)
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryCodeInUseHasWords(t *testing.T) {
	codes, _ := literals(t)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if (Problem{Code: code}).Message(English) == code {
			t.Errorf("%s is used in %s but is not in the catalogue", code, codes[code])
		}
	}
}

// inSQL is a text within a statement: the ledger makes some problems in SQL.
var inSQL = regexp.MustCompile(`'([a-z_]+)'`)

// literals reads the string constants of the repository's code, tests apart:
// the codes, each with a file that has it, and those outside this package that
// could be keys of Problem.Args.
func literals(t *testing.T) (codes map[string]string, words map[string]bool) {
	t.Helper()
	codes, words = map[string]string{}, map[string]bool{}
	code := regexp.MustCompile(`^E[1-5][0-9]{3}$`)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return fmt.Errorf("parse %s: %w", path, err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if code.MatchString(text) {
				codes[text] = path
			}
			if file.Name.Name != "problem" {
				words[text] = true
				for _, quoted := range inSQL.FindAllStringSubmatch(text, -1) {
					words[quoted[1]] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes, words
}

// TestCodesKeepTheirMeaning fails when a code vanishes, appears or says
// something else: people and programs outside know it by what it means.
func TestCodesKeepTheirMeaning(t *testing.T) {
	const golden = "codes.golden"
	now := map[string]string{}
	for _, e := range Catalogue() {
		now[e.Code] = e.MessageEN
	}
	if *update {
		var b strings.Builder
		for _, code := range slices.Sorted(maps.Keys(now)) {
			fmt.Fprintf(&b, "%s\t%s\n", code, now[code])
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for line := range strings.Lines(string(text)) {
		code, meaning, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		before[code] = meaning
	}
	for _, code := range slices.Sorted(maps.Keys(before)) {
		switch meaning, ok := now[code]; {
		case !ok:
			t.Errorf("%s vanished; a code stays for ever: %s", code, before[code])
		case meaning != before[code]:
			t.Errorf("%s says %q instead of %q; with the same meaning run with -update, else take a new code", code, meaning, before[code])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(now)) {
		if _, ok := before[code]; !ok {
			t.Errorf("%s is new; run `go test ./connector/problem -update`", code)
		}
	}
}

func TestAnUnknownCodeShowsItself(t *testing.T) {
	p := Problem{Code: "E9999"}
	for _, lang := range []Lang{French, English} {
		if got := p.Message(lang); got != "E9999" {
			t.Errorf("%s: got %q", lang, got)
		}
	}
}
