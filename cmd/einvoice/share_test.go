package main

import (
	"os"
	"strings"
	"testing"

	"einvoice/connector/setting"
)

func TestSharesAreNamedAsAServiceSeesThem(t *testing.T) {
	for _, c := range []struct {
		path, user, file string
		want             string
	}{
		{`\\nas\erp`, `nas\erp`, "secret", ""},
		{`\\nas\erp\out`, `nas\erp`, "secret", "path"},
		{`Z:\`, `nas\erp`, "secret", "path"},
		{`\\nas\`, `nas\erp`, "secret", "path"},
		{`\\nas\erp`, "", "", "user password_file"},
	} {
		r := setting.NewReport()
		ShareConfig{Path: c.path, User: c.user, PasswordFile: c.file}.Validate(r)
		var keys []string
		for _, m := range r.Mistakes() {
			keys = append(keys, m.Key)
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%+v: mistakes %q, want %q", c, got, c.want)
		}
	}
}

// TestRunRefusesWhatCheckRefuses: nobody has to run check for the guard rails to hold.
func TestRunRefusesWhatCheckRefuses(t *testing.T) {
	cfg := appConfig(t, "http://127.0.0.1:1")
	if _, err := loadGuarded(cfg.file); err != nil {
		t.Fatal(err)
	}
	production := setKey(readText(t, cfg.file), "api", "token_file", "'token-production.txt'")
	write(t, cfg.file, production)
	if _, err := loadGuarded(cfg.file); exitCode(err) != exitConfig || !strings.Contains(err.Error(), "named for") {
		t.Errorf("error %v, want exit code %d", err, exitConfig)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
