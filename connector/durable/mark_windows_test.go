package durable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAMarkedFileKeepsItsMarkWhenItsFolderMoves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "build")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.xlsx")
	if err := WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !MarkForeign(path) {
		t.Skip("this volume has no alternate streams")
	}
	if err := Move(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	mark, err := os.ReadFile(filepath.Join(dir+"2", "a.xlsx:Zone.Identifier"))
	if err != nil || !strings.Contains(string(mark), "ZoneId=3") {
		t.Errorf("mark %q, %v", mark, err)
	}
}
