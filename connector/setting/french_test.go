package setting

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// formats are the texts of mistakes in the sources of the whole program, with
// where they stand: those of Say, of Report.Wrong and of the mappings' compiler.
func formats(t *testing.T) map[string]string {
	t.Helper()
	at := map[string]int{"Say": 0, "Wrong": 1, "wrong": 1}
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		values := map[string]string{}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				if text, ok := literal(spec.Values[0]); ok {
					values[spec.Names[0].Name] = text
				}
			}
			return true
		})
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			i, says := at[name]
			if !says || i >= len(call.Args) {
				return true
			}
			text, ok := literal(call.Args[i])
			if id, is := call.Args[i].(*ast.Ident); is && values[id.Name] != "" {
				text, ok = values[id.Name], true
			}
			if ok && (name != "Say" || i == 0) {
				all[text] = set.Position(call.Pos()).String()
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// TestEveryMistakeHasAFrenchText finds what a mistake says in English alone.
func TestEveryMistakeHasAFrenchText(t *testing.T) {
	said := formats(t)
	if len(said) < 150 {
		t.Fatalf("only %d texts found", len(said))
	}
	table := maps.Clone(inFrench)
	for english, french := range doctorInFrench {
		if table[english] != "" {
			t.Errorf("%q is in both tables", english)
		}
		table[english] = french
	}
	for _, english := range slices.Sorted(maps.Keys(said)) {
		french, known := table[english]
		switch {
		case english == "%v":
		case !known || french == english:
			t.Errorf("%s: no French text for %q", said[english], english)
		case verbs(french) != verbs(english):
			t.Errorf("%q and %q have other verbs", english, french)
		}
	}
	for english := range table {
		if said[english] == "" {
			t.Errorf("nothing says %q", english)
		}
	}
}

// verbs are the verbs of a format, in their order.
func verbs(format string) string {
	var found []byte
	for i := 0; i+1 < len(format); i++ {
		if format[i] == '%' {
			i++
			if format[i] != '%' {
				found = append(found, format[i])
			}
		}
	}
	return string(found)
}

func TestAPhraseWithinAPhraseIsToldInItsLanguage(t *testing.T) {
	inFrenchOf := Say("is %v, but must be %v", Say("a number"), Say("true or false"))
	if got := inFrenchOf.In("fr"); got != "est un nombre, mais doit être vrai ou faux (true, false)" {
		t.Error(got)
	}
	if got := inFrenchOf.In("en"); got != "is a number, but must be true or false" {
		t.Error(got)
	}
	faults := Faults{File: "f.toml", Lang: "fr", List: []Fault{{Spot{1, 2}, MistakeOf("port", inFrenchOf)}}}
	if got := faults.Error(); got != "f.toml:1:2: port: est un nombre, mais doit être vrai ou faux (true, false)" {
		t.Error(got)
	}
}
