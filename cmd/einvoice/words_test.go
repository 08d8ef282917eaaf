package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// texts are what the sources of this package say in the language of the
// configuration, with where they say it.
func texts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := -1
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				if fun.Name == "translated" {
					at = 1
				}
			case *ast.SelectorExpr:
				if of, ok := fun.X.(*ast.Ident); ok && fun.Sel.Name == "say" && of.Name == "cfg" {
					at = 0
				}
				if of, ok := fun.X.(*ast.SelectorExpr); ok && fun.Sel.Name == "say" && of.Sel.Name == "cfg" {
					at = 0
				}
			}
			if at < 0 || at >= len(call.Args) {
				return true
			}
			if lit, ok := call.Args[at].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[text] = set.Position(lit.Pos()).String()
			}
			return true
		})
	}
	return found
}

func TestEveryTextOfTheCommandsHasAFrenchOne(t *testing.T) {
	all := texts(t)
	if len(all) < 20 {
		t.Fatalf("only %d texts found", len(all))
	}
	for _, word := range []string{"invoice", "credit note", "of yours", "built in", errConfig.Error(), errMapping.Error(), "refuse", "hold", "warn"} {
		all[word] = "title or severity"
	}
	for _, g := range []doctor.Grade{doctor.OK, doctor.Warn, doctor.Fail} {
		all[string(g)] = "grade of a finding"
	}
	for _, st := range []ledger.State{ledger.Queued, ledger.Waiting, ledger.Sending, ledger.Uncertain, ledger.Held, ledger.Sent,
		ledger.Rejected, ledger.Refused, ledger.Conflict, ledger.Duplicate, ledger.Superseded, ledger.Ignored} {
		all[string(st)] = "state"
	}
	for _, v := range []ledger.Verdict{ledger.VerdictQueued, ledger.VerdictRefused, ledger.VerdictDuplicate, ledger.VerdictConflict,
		ledger.VerdictSuperseded, ledger.VerdictIgnored, ledger.VerdictHeld, ledger.VerdictWaiting} {
		all[string(v)] = "verdict"
	}
	for _, st := range []ledger.FileState{ledger.FileTaken, ledger.FileMapped, ledger.FileFailed} {
		all[string(st)] = "state of a file"
	}
	for _, st := range []ledger.ReceivedState{ledger.ReceivedSeen, ledger.ReceivedFetched, ledger.ReceivedBuilt, ledger.ReceivedDelivered} {
		all[string(st)] = "state of a supplier invoice"
	}
	for _, step := range strings.Fields("taken archived mapped released sending answered lookup event callback request published seen fetched alert delivered") {
		all[step] = "step of a story"
	}
	verbs := func(text string) string {
		var found []string
		for i := 0; i < len(text)-1; i++ {
			if text[i] == '%' {
				i++
				if text[i] != '%' {
					found = append(found, text[i:i+1])
				}
			}
		}
		return strings.Join(found, " ")
	}
	for english, at := range all {
		french, known := inFrench[english]
		if !known || french == english && strings.ContainsAny(strings.ReplaceAll(english, "%s", ""), "abcdefgh") {
			t.Errorf("%s: no French text for %q", at, english)
		} else if verbs(french) != verbs(english) {
			t.Errorf("%q and %q have other verbs", english, french)
		}
	}
	for english := range inFrench {
		if _, said := all[english]; !said {
			t.Errorf("nothing says %q", english)
		}
	}
}

func TestTheLanguageOfTheConfigurationIsSpoken(t *testing.T) {
	cfg := &Config{Language: "fr"}
	if got := cfg.say("answers not written yet: %d\n", 3); got != "réponses pas encore écrites : 3\n" {
		t.Error(got)
	}
	if got := sentence(problem.French, "sent", map[string]string{"number": "F1.50", "gross": "839.58", "currency": "EUR", "id": "a"}); !strings.Contains(got, "facture F1.50, 839,58 EUR") {
		t.Error(got)
	}
	if got := sentence(problem.English, "sent", map[string]string{"number": "F1", "gross": "839.58", "currency": "EUR"}); !strings.Contains(got, "839.58 EUR") {
		t.Error(got)
	}
	if got := translated(problem.English, "answers not written yet: %d\n", 3); got != "answers not written yet: 3\n" {
		t.Error(got)
	}
}
