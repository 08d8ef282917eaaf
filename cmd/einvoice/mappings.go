package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector/durable"
	"einvoice/mappers"
)

func mappingsCommand(s streams) *cobra.Command {
	var path, show, copied string
	cmd := &cobra.Command{
		Use: "mappings", Short: "List the mappings, show a built-in one, or copy it out", Args: none,
		RunE: func(*cobra.Command, []string) error {
			if copied != "" {
				return copyPreset(copied, s.out)
			}
			if show != "" {
				data, ok := mappers.Preset(show)
				if !ok {
					return fmt.Errorf("%w: no preset %q; there are %s", errUsage, show, strings.Join(mappers.Presets(), ", "))
				}
				_, err := s.out.Write(data)
				return err
			}
			cfg, err := configOrDefaults(path)
			if err != nil {
				return err
			}
			all, err := loadMappings(cfg)
			if err != nil {
				return err
			}
			for i, whose := range []string{"of yours", "built in"} {
				for _, m := range all[i] {
					fmt.Fprintf(s.out, "%s\t%s\t%s\n", m.Name, m.Format(), cfg.say(whose))
				}
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&show, "show", "", "print a built-in mapping")
	cmd.Flags().StringVar(&copied, "copy", "", "write a built-in mapping as NAME.toml into the current folder, to be changed there")
	return cmd
}

// copyPreset writes a preset where it can be edited, never over another file.
func copyPreset(name string, out io.Writer) error {
	data, ok := mappers.Preset(name)
	if !ok {
		return fmt.Errorf("%w: no preset %q; there are %s", errUsage, name, strings.Join(mappers.Presets(), ", "))
	}
	path := name + ".toml"
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("copy mapping: %s is there already", path)
	}
	if err := durable.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("copy mapping: %w", err)
	}
	_, err := fmt.Fprintln(out, path)
	return err
}
