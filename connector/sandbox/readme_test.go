package sandbox

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
	words := kinds()
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

// TestTheReadmesCommandsWork runs every command of the README in a shell, with
// ids and tokens of this sandbox where it has words in their place.
func TestTheReadmesCommandsWork(t *testing.T) {
	bash := tool(t, "bash")
	tool(t, "curl")
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, commands, found := strings.Cut(string(text), "## With curl\n")
	commands, _, ended := strings.Cut(commands, "\n`/` shows")
	if !found || !ended {
		t.Fatal("where are the commands?")
	}
	r := open(t, Options{}).registered()
	server := httptest.NewServer(r)
	defer server.Close()
	minted := r.basic("POST", "/tokens", `{"scopes":["GET:*/FR-invoices"]}`)
	commands = strings.NewReplacer("http://127.0.0.1:8490", server.URL, "/ID", "/"+r.post("FA-0"),
		"/TOKEN", "/"+at(minted, "data", "token").(string), "REFRESHTOKEN", at(minted, "data", "refreshToken").(string)).Replace(commands)
	dir := t.TempDir()
	cmd := exec.Command(bash, "-c", `shopt -s expand_aliases
curl() { command curl --fail-with-body -w '\n' "$@" || echo "FAILED: curl $*"; }
`+commands)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "FAILED") {
		t.Errorf("%v\n%s", err, out)
	}
	for name, want := range map[string]string{"document.xml": "<?xml", "document.pdf": "%PDF-1.7", "facture.pdf": "%PDF-1.7"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: %.20q, %v", name, b, err)
		}
	}
	if asked := strings.Count(commands, "$api"); strings.Count(string(out), "\n") < asked-3 {
		t.Errorf("%d commands, few answers:\n%s", asked, out)
	}
	for _, want := range []string{`"document_number":"FA-1"`, `"Dépôt du Nord"`, `"credit":`, `"refused"`, `"Mairie de Là"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
