package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"einvoice/inbox"
)

// canary is the token of every story. After each one, nothing that any process
// wrote, the ledger and the blobs included, may have it, nor what callbacks
// are authenticated by.
const canary = "canary-5e1c9a70-bearer-token"

// secretFiles are where stories themselves put secrets.
var secretFiles = []string{"token.txt", "secret.txt", "two.txt"}

// watchCanary looks through a story's folder when it has ended.
func watchCanary(env *testscript.Env) {
	env.Defer(func() {
		for _, found := range leaks(env.WorkDir, append(derived(env.WorkDir), canary)) {
			env.T().Log("a secret is in " + found)
			env.T().FailNow()
		}
	})
}

// derived are the secrets that callbacks of the story's configuration carry.
func derived(dir string) (secrets []string) {
	cfg, err := loadConfig(filepath.Join(dir, "einvoice.toml"))
	if err != nil || !cfg.Inbox.Callback.Enabled {
		return nil
	}
	in, err := inbox.New(cfg.Inbox, inbox.Options{Companies: cfg.companies()})
	if err != nil {
		return nil
	}
	for _, value := range in.Headers() {
		secrets = append(secrets, value)
	}
	for _, c := range cfg.Companies {
		for _, event := range []string{inbox.EventCustomer, inbox.EventSupplier} {
			secrets = append(secrets, path.Base(in.CallbackURL(cfg.Inbox.Callback.PublicURL, c.ID, event)))
		}
	}
	return secrets
}

// leaks names the files that hold a secret. What the platform says of a
// registration ("answer") has its callback addresses by nature.
func leaks(dir string, secrets []string) (list []string) {
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		name := filepath.Base(p)
		if err != nil || d.IsDir() || name == "answer" || strings.HasSuffix(name, ".key") {
			return nil
		}
		for _, own := range secretFiles {
			if name == own {
				return nil
			}
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return nil
		}
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				list = append(list, p)
				break
			}
		}
		return nil
	})
	return list
}
