package sandbox

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestTheReadmeNamesEverything: a fault, a switch or a life that stands nowhere
// does not exist for those who develop against this.
func TestTheReadmeNamesEverything(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	words := Kinds()
	b, err := json.Marshal(Switches{})
	if err != nil {
		t.Fatal(err)
	}
	var switches map[string]any
	if err := json.Unmarshal(b, &switches); err != nil {
		t.Fatal(err)
	}
	for name := range switches {
		words = append(words, name)
	}
	for _, life := range scenarios() {
		words = append(words, life.words...)
	}
	for _, word := range words {
		if !strings.Contains(string(text), word) {
			t.Errorf("%s is not in the README", word)
		}
	}
}
