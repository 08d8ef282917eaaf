package cii

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestElementsStandAsInOfficialExamples holds what we write against the order of
// elements in the files of the European and French corpora: where those only
// ever have A before B below a parent, we may not have B before A, and we may
// use no element that none of them has there.
func TestElementsStandAsInOfficialExamples(t *testing.T) {
	for name, tt := range map[string]struct {
		write   func(*bytes.Buffer, Document) error
		kind    string
		corpora []string
	}{
		"CII":         {func(b *bytes.Buffer, d Document) error { return Write(b, d) }, "380", []string{"en16931-cen/examples-cii", "afnor-xp-z12-012-v1.2/cii"}},
		"UBL invoice": {func(b *bytes.Buffer, d Document) error { return WriteUBL(b, d) }, "380", []string{"en16931-cen/examples-ubl", "afnor-xp-z12-012-v1.2/ubl", "peppol-bis-3/examples-ubl"}},
		"UBL credit note": {func(b *bytes.Buffer, d Document) error { return WriteUBL(b, d) }, "381",
			[]string{"en16931-cen/examples-ubl", "afnor-xp-z12-012-v1.2/ubl", "peppol-bis-3/examples-ubl"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[[3]string]bool{} // parent, first, second
			known := map[[2]string]bool{}
			learn := func(parent string, kids []string) {
				for i, a := range kids {
					known[[2]string{parent, a}] = true
					for _, b := range kids[i+1:] {
						before[[3]string{parent, a, b}] = true
					}
				}
			}
			n := 0
			for _, dir := range tt.corpora {
				files, _ := filepath.Glob(filepath.Join("../../../shared/corpora", dir, "*.xml"))
				for _, f := range files {
					data, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					n++
					eachParent(data, learn)
				}
			}
			if n == 0 {
				if os.Getenv("CI") != "" {
					t.Fatal("the corpora are absent")
				}
				t.Skip("the corpora (../shared) are absent")
			}
			d := sample()
			d.Type = tt.kind
			var b bytes.Buffer
			if err := tt.write(&b, d); err != nil {
				t.Fatal(err)
			}
			eachParent(b.Bytes(), func(parent string, kids []string) {
				for i, a := range kids {
					if !known[[2]string{parent, a}] && len(kids) > 0 {
						t.Errorf("%s below %s is in no example", a, parent)
					}
					for _, b := range kids[i+1:] {
						if a != b && before[[3]string{parent, b, a}] && !before[[3]string{parent, a, b}] {
							t.Errorf("below %s, %s stands before %s", parent, a, b)
						}
					}
				}
			})
		})
	}
}

// eachParent gives the children's names of each element that has some.
func eachParent(data []byte, give func(parent string, kids []string)) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	type open struct {
		name string
		kids []string
	}
	stack := []*open{{}}
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			top := stack[len(stack)-1]
			top.kids = append(top.kids, e.Name.Local)
			stack = append(stack, &open{name: e.Name.Local})
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if len(top.kids) > 0 && strings.TrimSpace(top.name) != "" {
				give(top.name, top.kids)
			}
		}
	}
}
