package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/cmd/einvoice/service"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
)

// lastLines is how much of the end of a log goes into a bundle, in bytes.
const lastLines = 512 << 10

func bundleCommand(s streams) *cobra.Command {
	var path, to string
	cmd := &cobra.Command{
		Use: "support-bundle", Short: "Write a ZIP for support: no secrets, no invoices, nobody's data", Args: none,
		Long: `Support-bundle writes what a support person asks for first: versions, the
configuration without secrets and particulars, its mistakes, what doctor finds,
figures, the end of the log, how the ledger is built. It has no invoice and no
name, address or account; look at it before you send it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				to = "einvoice-support-" + time.Now().Format("20060102T150405") + ".zip"
			}
			if err := writeBundle(cmd.Context(), path, to); err != nil {
				return fmt.Errorf("write %s: %w", to, err)
			}
			_, err := fmt.Fprintln(s.out, to)
			return err
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&to, "to", "", "name of the ZIP file (default: einvoice-support-<time>.zip)")
	return cmd
}

// page is one file of the bundle. What cannot be had is said in its place.
type page struct {
	name string
	make func(ctx context.Context) (string, error)
}

func writeBundle(ctx context.Context, path, to string) error {
	cfg, err := loadConfig(path)
	mistakes := "no mistakes\n"
	if _, _, cerr := check(path); cerr != nil {
		mistakes = cerr.Error()
	}
	pages := []page{
		{"version.txt", func(context.Context) (string, error) { return versionText(), nil }},
		{"check.txt", func(context.Context) (string, error) { return mistakes, nil }},
	}
	veiled := veil(nil)
	if err == nil {
		veiled = veil(cfg)
		pages = append(pages, pagesOf(cfg)...)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range pages {
		text, err := p.make(ctx)
		if err != nil {
			text += "not to be had: " + err.Error() + "\n"
		}
		w, err := z.Create("einvoice-support/" + p.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, veiled(text)); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return durable.WriteFile(to, b.Bytes(), 0o600)
}

func pagesOf(cfg *Config) []page {
	return []page{
		{"config.toml", func(context.Context) (string, error) { return redacted(cfg.file) }},
		{"doctor.txt", func(ctx context.Context) (string, error) { return doctorText(ctx, cfg) }},
		{"status.txt", inLedger(cfg, func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
			figures, err := l.Status(ctx)
			if err != nil {
				return err
			}
			return errors.Join(printStatus(out, cfg, figures), printTrouble(ctx, out, cfg, l))
		})},
		{"queue.txt", inLedger(cfg, func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
			return codesOfQueue(ctx, cfg, l, out)
		})},
		{"schema.sql", inLedger(cfg, func(ctx context.Context, l *ledger.Ledger, out io.Writer) error {
			text, err := l.Describe(ctx)
			return errors.Join(err, write1(out, text))
		})},
		{"mappings.txt", func(context.Context) (string, error) { return mappingVersions(cfg) }},
		{"log.txt", func(ctx context.Context) (string, error) { return logEnd(ctx, cfg) }},
	}
}

func write1(out io.Writer, text string) error { _, err := io.WriteString(out, text); return err }

func inLedger(cfg *Config, tell func(context.Context, *ledger.Ledger, io.Writer) error) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		l, err := ledger.OpenReader(ctx, cfg.Ledger)
		if err != nil {
			return "", err
		}
		defer l.Close()
		var b strings.Builder
		err = tell(ctx, l, &b)
		return b.String(), err
	}
}

// codesOfQueue counts what is not done by state and code: no numbers, no amounts.
func codesOfQueue(ctx context.Context, cfg *Config, l *ledger.Ledger, out io.Writer) error {
	lines, err := queue(ctx, cfg, l, openStates(), "", 10_000)
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, q := range lines {
		count[strings.TrimSpace(fmt.Sprint(q.Company, " ", q.State, " ", q.Code))]++
	}
	var all []string
	for what, n := range count {
		all = append(all, fmt.Sprintf("%s: %d\n", what, n))
	}
	sort.Strings(all)
	return write1(out, strings.Join(all, ""))
}

func doctorText(ctx context.Context, cfg *Config) (string, error) {
	var b strings.Builder
	_, err := diagnose(ctx, cfg, cfg.lang(), func(f doctor.Finding) { printFinding(&b, cfg, f) })
	return b.String(), err
}

func mappingVersions(cfg *Config) (string, error) {
	all, err := loadMappings(cfg)
	var b strings.Builder
	for _, tier := range all {
		for _, m := range tier {
			fmt.Fprintf(&b, "%s %s version %s\n", m.Name, m.Format(), m.Version())
		}
	}
	return b.String(), err
}

// logEnd is the end of the technical log: of its file, else of the journal of
// systemd.
func logEnd(ctx context.Context, cfg *Config) (string, error) {
	if cfg.Log.File != "" {
		return fileEnd(cfg.Log.File)
	}
	if runtime.GOOS != "linux" {
		return "", errors.New("no log.file is set; look into the Event Log, source " + service.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	// The journal of the business stands there too: only lines of the technical log.
	out, err := exec.CommandContext(ctx, "journalctl", "--unit", service.Name, "--lines", "5000", "--no-pager", "--output", "cat").Output()
	var kept strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "{") {
			kept.WriteString(line)
		}
	}
	return kept.String(), err
}

func fileEnd(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		_, err = f.Seek(max(0, info.Size()-lastLines), io.SeekStart)
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(f)
	return string(text), err
}

// publicKeys are the settings whose text goes into a bundle as it is.
var publicKeys = regexp.MustCompile(`^(language|timezone|environment|shutdown_timeout|base_url|timeout|path|root|drop|results|refused|to_check|archive|inbox|folder|id|company|include|mapping|complete|settle|trigger|scan|tail_hold|on_error|after|profile|without_siren|E\d+|.*_(min|max|timeout|every|over|mib|age|mode|since|columns|at|days)|probe|lookups|encoding|delimiter|decimal|layout|listen|verify|young|day|month|old|list|at|level|format|enabled|host|keep_alive|idle)$`)

// redacted is the configuration with its structure, its figures and the texts
// that say nothing about anybody.
func redacted(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var all map[string]any
	if err := toml.Unmarshal(setting.Text(data), &all); err != nil {
		return "", err
	}
	out, err := toml.Marshal(hide(all, ""))
	return string(out), err
}

func hide(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = hide(x, k)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = hide(x, key)
		}
		return out
	case string:
		if v != "" && !publicKeys.MatchString(key) {
			return setting.Secret(v).String()
		}
	}
	return v
}

// veil gives what every text of a bundle goes through, whatever it says: known
// secrets and particulars, and whatever looks like an account of somebody.
func veil(cfg *Config) func(string) string {
	hidden := setting.Secret("").String()
	var pairs []string
	if cfg != nil {
		for _, text := range particulars(cfg) {
			if len(text) >= 4 { // shorter ones would blot out everything
				pairs = append(pairs, text, hidden)
			}
		}
	}
	known := strings.NewReplacer(pairs...)
	return func(text string) string {
		text = known.Replace(text)
		text = userInfo.ReplaceAllString(text, "://"+hidden+"@")
		text = mailAddress.ReplaceAllString(text, hidden)
		return iban.ReplaceAllString(text, hidden)
	}
}

var (
	userInfo    = regexp.MustCompile(`://[^/\s@"']+@`)
	mailAddress = regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+\.[\pL\pN.-]+`)
	iban        = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b`)
)

// particulars are the secrets and the companies' names and addresses.
func particulars(cfg *Config) []string {
	var all []string
	for _, s := range cfg.secretKeys() {
		if data, err := os.ReadFile(s.path); err == nil {
			all = append(all, strings.TrimSpace(string(data)))
		} else if !errors.Is(err, fs.ErrNotExist) {
			continue // nor can it stand in what this account can read
		}
	}
	env := []string{cfg.API.TokenEnv, cfg.Inbox.Callback.SecretEnv, cfg.Mail.PasswordEnv}
	for _, s := range cfg.SFTP {
		env = append(env, s.PassphraseEnv, s.PasswordEnv)
		all = append(all, s.User)
	}
	all = append(all, cfg.Mail.User, cfg.Mail.From)
	for _, c := range cfg.Companies {
		env = append(env, c.TokenEnv)
	}
	for _, name := range env {
		if name != "" {
			all = append(all, os.Getenv(name))
		}
	}
	for _, c := range cfg.Companies {
		all = append(all, c.Name, c.Email, c.Address.Street, c.Address.City)
	}
	if host, err := os.Hostname(); err == nil {
		all = append(all, host)
	}
	if home, err := os.UserHomeDir(); err == nil && len(filepath.Base(home)) > 3 {
		all = append(all, filepath.Base(home))
	}
	return all
}
