package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/api"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/problem"
	"einvoice/inbox"
)

func doctorCommand(s streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Measure whether this machine, its places and the platform let einvoice work",
		Long: `Doctor measures the machine, every folder and SFTP directory, the ledger and
the platform, and says what to type where something is wrong. Run it as the
service's account: sudo -u einvoice einvoice doctor -c FILE. It writes small
files whose names begin with ".einvoice-doctor" and removes them; it changes no
invoice and nothing at the platform. Exit codes: 0 nothing failed (warnings
do not count), 1 something failed, 4 the configuration is invalid.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			if asJSON {
				return examineForPrograms(cmd.Context(), cfg, s.out)
			}
			return examine(cmd.Context(), cfg, s.out)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// examine prints each finding as it comes, in the language of the configuration.
func examine(ctx context.Context, cfg *Config, out io.Writer) error {
	grades, err := diagnose(ctx, cfg, cfg.lang(), func(f doctor.Finding) { printFinding(out, cfg, f) })
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, cfg.say("%d OK, %d WARN, %d FAIL\n", grades[doctor.OK], grades[doctor.Warn], grades[doctor.Fail]))
	return graded(grades, err)
}

// examineForPrograms prints JSON, which is in English whatever people read.
func examineForPrograms(ctx context.Context, cfg *Config, out io.Writer) error {
	var all []doctor.Finding
	grades, err := diagnose(ctx, cfg, problem.English, func(f doctor.Finding) { all = append(all, f) })
	if err != nil {
		return err
	}
	return graded(grades, writeJSON(out, all))
}

func graded(grades map[doctor.Grade]int, err error) error {
	if err == nil && grades[doctor.Fail] > 0 {
		return exitError(exitFailure)
	}
	return err
}

// diagnose hands over every finding and counts them by their grade.
func diagnose(ctx context.Context, cfg *Config, lang problem.Lang, found func(doctor.Finding)) (map[doctor.Grade]int, error) {
	setup, done, err := doctorSetup(cfg, lang)
	if err != nil {
		return nil, err
	}
	defer done()
	grades := map[doctor.Grade]int{}
	doctor.Run(ctx, setup, doctor.Local(), func(f doctor.Finding) {
		grades[f.Grade]++
		found(f)
	})
	return grades, ctx.Err()
}

func printFinding(out io.Writer, cfg *Config, f doctor.Finding) {
	subject := f.Subject
	if subject != "" {
		subject = cfg.say("%s: ", subject)
	}
	fmt.Fprintf(out, "%-*s  %-22s  %s%s\n", gradeWidth, cfg.say(string(f.Grade)), f.Title, subject, f.Seen)
	if f.Remedy != "" {
		fmt.Fprintf(out, "%-*s  -> %s\n", gradeWidth+2+22, "", f.Remedy)
	}
}

// gradeWidth holds the longest word for a grade.
const gradeWidth = 5

// doctorSetup turns a configuration into what can be measured of it.
func doctorSetup(cfg *Config, lang problem.Lang) (s doctor.Setup, done func(), err error) {
	client, err := newClient(cfg, zerolog.Nop())
	if err != nil {
		return s, nil, err
	}
	in, err := inbox.New(cfg.Inbox, inbox.Options{Companies: cfg.companies(), Platform: client, Lang: lang})
	if err != nil {
		client.Close()
		return s, nil, err
	}
	s = doctor.Setup{
		Config: cfg.file, Environment: cfg.Environment, API: cfg.API, Companies: cfg.companies(), Folders: cfg.measured(),
		Remote: cfg.remote(), SFTP: cfg.SFTP, Ledger: cfg.Ledger, Secrets: cfg.secrets(), Platform: client, Lang: lang,
		TokenEnds: tokenEnd(cfg), TokenDays: cfg.Alarm.TokenDays,
		Calls: func(ctx context.Context, since time.Time) ([]api.Call, error) { return api.Calls(ctx, cfg.API, since) },
		Registration: func(ctx context.Context, company string) (string, error) {
			return in.Register(ctx, client, company, false)
		},
	}
	if cfg.Inbox.Callback.Enabled {
		s.CallbackURL = cfg.Inbox.Callback.PublicURL
	}
	return s, client.Close, nil
}

// measured are the folders of this machine, each once.
func (c *Config) measured() []doctor.Folder {
	var all []doctor.Folder
	seen := map[string]bool{}
	for _, d := range c.Drops {
		if sftpplace.Is(d.Path) || seen[d.Path] {
			continue
		}
		seen[d.Path] = true
		f := doctor.Folder{Path: d.Path, Drop: true, Scan: d.Scan.Std()}
		if d.After == drop.Archive {
			f.Archive = c.tree(d.Company, c.Folders.Archive)
		}
		all = append(all, f)
	}
	for _, dir := range c.peopleFolders() {
		if !seen[dir] {
			seen[dir] = true
			all = append(all, doctor.Folder{Path: dir})
		}
	}
	return all
}

// secrets are the configured files that nobody but the service may read.
func (c *Config) secrets() []string {
	var files []string
	for _, s := range c.secretKeys() {
		files = append(files, s.path)
	}
	return files
}
