package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/durable"
)

// demoDir makes the working folder.
func demoDir(dir string) (string, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "einvoice-demo-")
		if err != nil {
			return "", fmt.Errorf("make demo folder: %w", err)
		}
		return tmp, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return abs, durable.MkdirAll(abs, 0o755)
}

// listen takes the port of an earlier run over the same folder, so that its
// configuration stays right, else any free one; then it writes the configuration.
func (d *demo) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	path := filepath.Join(d.dir, "einvoice.toml")
	cfg, err := loadConfig(path)
	if _, absent := os.Stat(path); absent == nil {
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(d.dir, sandboxFile)); err != nil {
			return nil, fmt.Errorf("%w: %s has a configuration that the demo did not make; choose another --dir", errUsage, d.dir)
		}
		d.cfg, d.language = cfg, cfg.Language
		l, err := lc.Listen(ctx, "tcp", strings.TrimPrefix(cfg.API.BaseURL, "http://"))
		if err != nil {
			return nil, fmt.Errorf("start sandbox on the port of the earlier run: %w (is another demo running on %s?)", err, d.dir)
		}
		return l, nil
	}
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if err := d.configure(ctx, l.Addr().String()); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// configure sets up the folder as `einvoice init` does, with the sandbox's
// address, callbacks on a free port, and short waits.
func (d *demo) configure(ctx context.Context, platform string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	callbacks := l.Addr().String()
	l.Close()
	_, err = initialise(d.dir, d.language, frenchStarter, func(config string) string {
		for _, k := range [][3]string{
			{"api", "base_url", `"http://` + platform + `"`},
			{"drop", "complete", `"on-appearance"`},
			{"drop", "scan", `"1s"`},
			{"results", "status_every", `"1s"`},
			{"inbox.callback", "enabled", "true"},
			{"inbox.callback", "listen", `"` + callbacks + `"`},
			{"inbox.callback", "public_url", `"http://` + callbacks + `"`},
			{"inbox.callback", "secret_file", "'secret.txt'"},
			{"log", "level", `"warn"`},
			{"safety", "other_year", `"send"`}, // the examples grow old
		} {
			config = setKey(config, k[0], k[1], k[2])
		}
		return config
	})
	if err != nil {
		return err
	}
	if err := newSecret(filepath.Join(d.dir, "secret.txt")); err != nil {
		return err
	}
	for _, name := range []string{"classeur.toml", "lot.toml"} {
		data, err := starter.ReadFile("starter/" + name)
		if err != nil {
			return err
		}
		if err := durable.WriteFile(filepath.Join(d.dir, "mappings", name), data, 0o644); err != nil {
			return err
		}
	}
	d.cfg, err = loadConfig(filepath.Join(d.dir, "einvoice.toml"))
	return err
}

// newSecret writes a random secret for callbacks.
func newSecret(path string) error {
	return durable.WriteFile(path, []byte(rand.Text()+rand.Text()+"\n"), 0o600)
}

// open starts the connector itself.
func (d *demo) open(ctx context.Context) (err error) {
	log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true}).Level(zerolog.WarnLevel)
	d.app, err = newApp(ctx, d.cfg, log, journalTo(d.out, d.cfg.lang(), time.Now, false))
	return err
}
