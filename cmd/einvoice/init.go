package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"einvoice/connector/durable"
	"einvoice/connector/problem"
)

// exampleConfig is a copy of the example at the top level, which go:embed
// cannot reach; `go generate` makes it and a test keeps the two equal.
//
//go:generate cp ../../config.example.toml config.example.toml
//go:embed config.example.toml
var exampleConfig string

func initCommand(s streams) *cobra.Command {
	var dir, language string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a configuration, the folders and a starter mapping",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			if language != "fr" && language != "en" {
				return fmt.Errorf("%w: --language must be fr or en, not %q", errUsage, language)
			}
			made, err := initialise(dir, language, starterOf(language), nil)
			if err != nil {
				return err
			}
			for _, path := range made {
				fmt.Fprint(s.out, translated(problem.Lang(language), "made %s\n", path))
			}
			if len(made) == 0 {
				fmt.Fprint(s.out, translated(problem.Lang(language), "everything is there already; nothing was changed\n"))
			}
			path := filepath.Join(dir, "einvoice.toml")
			fmt.Fprint(s.out, translated(problem.Lang(language), "\nNext: edit %s, then\n  einvoice check -c %s\nTo try it here: einvoice sandbox, and in another terminal\n  einvoice register -c %s\n  einvoice run -c %s\n", path, path, path, path))
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "folder to set up")
	cmd.Flags().StringVar(&language, "language", systemLanguage(os.Getenv), "fr or en: messages, folders and files")
	return cmd
}

// initialise sets up a folder with one of the starter mappings. It never replaces a
// file that is there. It returns what it made.
func initialise(dir, language, mapping string, change func(config string) string) (made []string, err error) {
	config := setKey(exampleConfig, "", "language", `"`+language+`"`)
	if change != nil {
		config = change(config)
	}
	columns, err := starter.ReadFile("starter/" + mapping)
	if err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(filepath.Join(dir, "mappings"), 0o755); err != nil {
		return nil, fmt.Errorf("make folder %s: %w", dir, err)
	}
	files := []struct {
		name, text string
		mode       fs.FileMode
	}{
		{"einvoice.toml", config, 0o640},
		{"token.txt", "sandbox\n", 0o600},
		{filepath.Join("mappings", mapping), string(columns), 0o644},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		if err := durable.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return made, fmt.Errorf("write %s: %w", path, err)
		}
		made = append(made, path)
	}
	cfg, err := loadConfig(filepath.Join(dir, "einvoice.toml"))
	if err != nil {
		return made, err
	}
	folders, err := makeFolders(cfg)
	return append(made, folders...), err
}

// makeFolders makes the people's folders, each with a note saying what it is
// for, who may touch it, and what becomes of what is put there.
func makeFolders(cfg *Config) (made []string, err error) {
	notes := map[string]string{
		cfg.Folders.Drop: "drop", cfg.Folders.Results: "results", cfg.Folders.Refused: "refused",
		cfg.Folders.ToCheck: "to_check", cfg.Folders.Archive: "archive", cfg.Folders.Inbox: "inbox",
	}
	for _, dir := range cfg.peopleFolders() {
		if err := makeFolder(dir); err != nil {
			return made, err
		}
		name, text := folderNote(cfg.Language, notes[filepath.Base(dir)])
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); text == "" || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := durable.WriteFile(path, []byte(text), 0o644); err != nil {
			return made, fmt.Errorf("write %s: %w", path, err)
		}
		made = append(made, dir)
	}
	return made, nil
}

// makeFolder makes one of the people's folders. Where a file stands in its way,
// it says what to do.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%w: %s is a file where a folder is needed; move it away, or change [folders] or [[drop]] in the configuration", errConfig, dir)
	}
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make a folder: %w; check the rights on the folder above it", err)
	}
	return nil
}

// setKey sets a key of a section ("" is the top) in a configuration text and
// leaves every comment alone. A key that is only shown as a default is put into
// force.
func setKey(config, section, key, value string) string {
	var out strings.Builder
	at, done := "", false
	lines := bufio.NewScanner(strings.NewReader(config))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "[") {
			at = strings.Trim(line, "[]")
		}
		bare := strings.TrimPrefix(line, "#")
		name, _, ok := strings.Cut(bare, " = ")
		if ok && !done && at == section && name == key {
			line, done = key+" = "+value, true
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
