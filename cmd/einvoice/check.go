package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"einvoice/connector/setting"
)

func checkCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and the mappings, without starting anything",
		Long:  `Check lists every mistake of the configuration and of all mapping files, each with its place. It connects to nothing. Exit codes: 0 clean, 4 mistakes.`,
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			notices, err := check(path)
			for _, n := range notices {
				fmt.Fprintln(s.out, n)
			}
			if err == nil {
				fmt.Fprintln(s.out, path+": no mistakes")
			}
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// check returns notices, which are no mistakes, and all mistakes as one error.
func check(path string) (notices []string, err error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	all, err := loadMappings(cfg)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	spots := setting.Positions(setting.StripBOM(data))
	faults := setting.Faults{File: path}
	for i, d := range cfg.Drops {
		key := fmt.Sprintf("drop[%d].mapping", i)
		ms, err := all.named(d.Mapping)
		if err != nil {
			faults.List = append(faults.List, setting.Fault{Spot: setting.At(spots, key), Mistake: setting.Mistake{Key: key, Text: err.Error()}})
			continue
		}
		for _, m := range slices.Concat(ms...) {
			if len(d.Mapping) > 0 && !m.ProvesEnd() && d.Complete == "settle" && d.TailHold > 0 {
				notices = append(notices, fmt.Sprintf("notice: drop %s, mapping %s: nothing proves that an export is whole, so its last invoice waits %s (tail_hold); let the ERP rename the file into place and set complete = \"on-appearance\"", d.Name, m.Name, d.TailHold))
			}
		}
	}
	if _, err := os.Stat(cfg.API.TokenFile); cfg.API.TokenFile != "" && errors.Is(err, os.ErrNotExist) {
		faults.List = append(faults.List, setting.Fault{Spot: setting.At(spots, "api.token_file"), Mistake: setting.Mistake{Key: "api.token_file", Text: "is " + cfg.API.TokenFile + ", which does not exist; write the token into it"}})
	}
	if len(faults.List) > 0 {
		faults.Sort()
		return notices, fmt.Errorf("%w:\n%w", errConfig, faults)
	}
	return notices, nil
}
