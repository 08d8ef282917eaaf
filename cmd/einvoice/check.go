package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

func checkCommand(s streams) *cobra.Command {
	var path string
	var online bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and the mappings, without starting anything",
		Long: `Check lists every mistake of the configuration and of all mapping files, each with its place. It connects to nothing, unless
--online asks for it: then each SFTP server must show its known host key, let
the account in and list its places. Exit codes: 0 clean, 4 mistakes, 1 a place
that cannot be reached.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			notices, lang, err := check(path)
			for _, n := range notices {
				fmt.Fprintln(s.out, n)
			}
			if err == nil {
				fmt.Fprint(s.out, translated(lang, "%s: no mistakes\n", path))
			}
			if err != nil || !online {
				return err
			}
			return checkOnline(cmd.Context(), path, s.out)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&online, "online", false, "connect to the SFTP servers and compare their host keys")
	return cmd
}

// check returns notices, which are no mistakes, and all mistakes as one error.
func check(path string) (notices []string, lang problem.Lang, err error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, lang, err
	}
	lang = cfg.lang()
	all, err := loadMappings(cfg)
	if err != nil {
		return nil, lang, err
	}
	r := setting.NewReport()
	for i, d := range cfg.Drops {
		if s, ok := cfg.section(d.Path); ok && s.Profile == sftpplace.Compat {
			notices = append(notices, cfg.say("notice: drop %s: a server with profile = \"compat\" may delete a file once it was read; what a crash or a cut connection interrupts is then lost there: keep the exports in the ERP until they are acknowledged, and files appear on it without a rename", d.Name))
		}
		if _, err := os.Stat(d.Path); !sftpplace.Is(d.Path) && errors.Is(err, os.ErrNotExist) {
			notices = append(notices, cfg.say("notice: drop %s: the folder %s is not there; einvoice run makes it, but if the ERP writes elsewhere nothing will ever come: check the spelling, and that a share is mounted", d.Name, d.Path))
		}
		key := fmt.Sprintf("drop[%d].mapping", i)
		ms, err := all.named(d.Mapping)
		if err != nil {
			r.Wrong(key, "%v", err)
			continue
		}
		for _, m := range slices.Concat(ms...) {
			if !m.ProvesEnd() && d.Complete == "settle" && d.TailHold > 0 {
				notices = append(notices, cfg.say("notice: drop %s, mapping %s: nothing proves that an export is whole, so its last invoice waits %s (tail_hold); let the ERP rename the file into place and set complete = \"on-appearance\"", d.Name, m.Name, d.TailHold))
			}
		}
	}
	tokens := map[string]string{"api.token_file": cfg.API.TokenFile}
	for i, co := range cfg.Companies {
		tokens[fmt.Sprintf("company[%d].token_file", i)] = co.TokenFile
	}
	for key, file := range tokens {
		if _, err := os.Stat(file); file != "" && errors.Is(err, os.ErrNotExist) {
			r.Wrong(key, "is %s, which does not exist; write the token into it", file)
		}
	}
	cfg.guards(doctor.Local(), r)
	faults, err := placed(path, cfg, r)
	if err == nil && len(faults.List) > 0 {
		err = misconfigured{errConfig, faults}
	}
	return notices, lang, err
}
