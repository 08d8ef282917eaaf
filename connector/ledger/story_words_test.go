package ledger

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"einvoice/connector/problem"
)

// TestEveryWordOfAStoryHasAFrenchOne reads the words off the sources: constants
// of what the ledger tells, and the notes that are given to it.
func TestEveryWordOfAStoryHasAFrenchOne(t *testing.T) {
	french := tongue{problem.French}
	said := 0
	need := func(text, at string) {
		if said++; french.word(text) == text && text != string(KindNote) {
			t.Errorf("%s: a story has no French for %q", at, text)
		}
	}
	for _, n := range strings.Fields("queued uncertain held sent rejected") {
		need(n, "outcome")
	}
	need("released by dropping copy.csv", "release")
	told := []string{"Verdict", "EventKind", "Kind", "Folder"}
	for _, pattern := range []string{"*.go", "../../outbox/*.go", "../../inbox/*.go", "../../cmd/einvoice/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					if of, ok := n.Type.(*ast.Ident); ok && pattern == "*.go" && slices.Contains(told, of.Name) && len(n.Values) > 0 {
						need(literal(t, n.Values[0]), file)
					}
				case *ast.CompositeLit:
					if of, ok := n.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Outcome" {
						for _, e := range n.Elts {
							if pair, ok := e.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Note" && literal(t, pair.Value) != "" {
								need(literal(t, pair.Value), file)
							}
						}
					}
				}
				return true
			})
		}
	}
	if said < 30 {
		t.Errorf("only %d words found", said)
	}
}

// literal is a text in the source, or what it begins with.
func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	if sum, ok := e.(*ast.BinaryExpr); ok {
		return literal(t, sum.X)
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAStorySaysRowOrRows(t *testing.T) {
	for rows, want := range map[string]string{"": "row 4,", "4": "row 4,", "4-5": "rows 4-5,"} {
		if got := (tongue{problem.English}).fileSteps(File{}, Invoice{Row: 4, Rows: rows})[1].Text; !strings.Contains(got, want) {
			t.Errorf("%q: %s", rows, got)
		}
	}
}
