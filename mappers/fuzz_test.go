package mappers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"einvoice/connector/problem"

	"github.com/rogpeppe/go-internal/txtar"
)

// seeds gives the sections of all stories whose name begins so.
func seeds(f *testing.F, name string) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range txtar.Parse(data).Files {
			if part.Name == name {
				f.Add(part.Data)
			}
		}
	}
}

// survive reads an export whatever it is, and writes the copy of everything:
// ordinals count up, problems have texts, nothing panics or grows without end.
func survive(t *testing.T, m *Mapping, e Export) {
	last := 0
	_, err := m.Read(context.Background(), e, func(r Result) error {
		if last++; r.Ordinal != last || r.Spoils >= r.Ordinal {
			t.Fatalf("ordinal %d after %d, spoils %d", r.Ordinal, last-1, r.Spoils)
		}
		for _, p := range r.Problems {
			if p.Message(problem.French) == p.Code || p.Remedy(problem.English) == "" {
				t.Fatalf("%s has no text", p.Code)
			}
		}
		return nil
	})
	if err != nil {
		return
	}
	var out bytes.Buffer
	all := func(int) ([]problem.Problem, bool) { return nil, true }
	if err := m.WriteCopy(context.Background(), e, all, &out, CopyOptions{Lang: problem.French}); err != nil {
		return
	}
	again := 0
	if _, err := m.Read(context.Background(), exportOf("copy", out.Bytes()), func(Result) error { again++; return nil }); err == nil && again > last {
		t.Fatalf("%d documents, and %d in the copy", last, again)
	}
}

func FuzzCSV(f *testing.F) {
	seeds(f, "export.csv")
	f.Add([]byte("\xff\xfeF\x00a\x00;\x00"))
	f.Add([]byte("Facture;Date;Texte;PU\r\n\"F1\"\";01/01/2026;x;1\r\r\n"))
	m := mustLoad(f, small)
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK")) {
			return // a workbook: excelize's own matter
		}
		survive(t, m, exportOf("x.csv", data))
	})
}

func FuzzXML(f *testing.F) {
	seeds(f, "export.xml")
	m := mustLoad(f, xmlMapping)
	f.Fuzz(func(t *testing.T, data []byte) { survive(t, m, exportOf("x.xml", data)) })
}

func FuzzLoad(f *testing.F) {
	seeds(f, "mapping.toml")
	for _, name := range Presets() {
		data, _ := Preset(name)
		f.Add(data)
	}
	row := []byte("Facture;Date;Texte;PU\nF1;01/01/2026;x;1\n")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Load("x", data)
		if err != nil {
			if _, ok := err.(Errors); !ok || err.Error() == "" {
				t.Fatalf("not a list of mistakes: %v", err)
			}
			return
		}
		survive(t, m, exportOf("x.csv", row))
	})
}
