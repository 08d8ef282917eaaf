package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSupportBundleHoldsNoSecretNoInvoiceAndNobodysData fills every corner with
// canaries, those that a log of another program could hold included.
func TestSupportBundleHoldsNoSecretNoInvoiceAndNobodysData(t *testing.T) {
	_, url := playPlatform(t)
	cfg := appConfig(t, url)
	const token = "canarytoken0123456789"
	write(t, cfg.API.TokenFile, token)
	text, err := os.ReadFile(cfg.file)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, s := range [][3]string{
		{"company", "name", `"Canary Couture"`}, {"company", "email", `"canary@couture.example"`}, {"company.address", "street_address", `"1 rue Canary"`},
		{"api", "proxy", `"http://canaryuser:canarypass@127.0.0.1:1"`}, {"log", "file", `'einvoice.log'`},
	} {
		changed = setKey(changed, s[0], s[1], s[2])
	}
	write(t, cfg.file, changed)
	write(t, filepath.Join(cfg.dir, "einvoice.log"), `{"level":"warn","message":"token `+token+` of canary@couture.example, FR76 3000 6000 0112 3456 7890 189, sftp://canaryuser@host/x kept-line"}`+"\n")
	export := filepath.Join(cfg.dir, "drop", "lot.xml")
	data, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	write(t, export, strings.NewReplacer("Imprimerie des Quais", "Canary Jeanne", "Maintenance trimestrielle", "Canary massage").Replace(string(data)))
	runOnce(t, cfg)

	to := filepath.Join(t.TempDir(), "bundle.zip")
	if err := writeBundle(t.Context(), cfg.file, to); err != nil {
		t.Fatal(err)
	}
	pages := unzip(t, to)
	for name, text := range pages {
		for _, canary := range []string{"canary", "0112 3456", "LOT-0501", "594.60"} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(canary)) {
				t.Errorf("%s holds %q:\n%s", name, canary, text)
			}
		}
	}
	for name, want := range map[string]string{
		"version.txt": "einvoice ", "config.toml": "base_url", "check.txt": "no mistakes", "doctor.txt": "ledger-integrity", "status.txt": "sent",
		"schema.sql": "-- invoice: 2 rows", "mappings.txt": "lot xml version ", "log.txt": "kept-line", "queue.txt": "",
	} {
		if text, ok := pages["einvoice-support/"+name]; !ok || !strings.Contains(text, want) || strings.Contains(text, "not to be had") {
			t.Errorf("%s: %v, want %q in:\n%s", name, ok, want, text)
		}
	}
}

// TestSupportBundleOfAWrongConfiguration is when support is asked most.
func TestSupportBundleOfAWrongConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "einvoice.toml")
	write(t, path, "[api\nproxy = \"canary\"")
	to := filepath.Join(t.TempDir(), "bundle.zip")
	if err := writeBundle(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	if text := unzip(t, to)["einvoice-support/check.txt"]; !strings.Contains(text, "configuration in") || strings.Contains(text, "canary") {
		t.Error(text)
	}
}

func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	pages := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		pages[f.Name] = string(text)
	}
	return pages
}
