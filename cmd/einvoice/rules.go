package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"einvoice/connector/problem"
	"einvoice/connector/rules"
)

func rulesCommand(s streams) *cobra.Command {
	var path, language string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rules [CODE]",
		Short: "List the checks before sending, or explain one with an example",
		Long: `Rules lists the checks that every invoice must pass, with what each does under
the configuration: "refuse", "warn" or "off". With a code it explains that one,
or any other code of a problem.`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := configOrDefaults(path)
			if err != nil {
				return err
			}
			lang, err := languageOf(language, cfg)
			if err != nil {
				return err
			}
			book := ruleBook{cfg: cfg.Rules, lang: lang, out: s.out}
			if len(args) == 1 {
				return book.explain(strings.ToUpper(args[0]), asJSON)
			}
			return book.list(asJSON)
		},
	}
	configFlag(cmd, &path)
	languageFlag(cmd, &language)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one object a line")
	return cmd
}

func languageFlag(cmd *cobra.Command, language *string) {
	cmd.Flags().StringVar(language, "language", "", "fr or en; default: that of the configuration")
}

// languageOf is the language asked for, else that of the configuration.
func languageOf(asked string, cfg *Config) (problem.Lang, error) {
	switch lang := problem.Lang(asked); lang {
	case "":
		return cfg.lang(), nil
	case problem.French, problem.English:
		return lang, nil
	}
	return "", fmt.Errorf("%w: --language is %q, but must be fr or en", errUsage, asked)
}

// configOrDefaults does without a configuration where nobody asked for one and
// there is none: commands that only read then work anywhere.
func configOrDefaults(path string) (*Config, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) && path == defaultConfigFile {
		c := defaultConfig()
		c.Mappings.Folder = ""
		return &c, nil
	}
	return loadConfig(path)
}

// ruleBook shows checks.
type ruleBook struct {
	cfg  rules.Config
	lang problem.Lang
	out  io.Writer
}

// ruleText is one check in words.
type ruleText struct {
	Code     string           `json:"code"`
	Severity problem.Severity `json:"severity,omitempty"`
	Fixed    bool             `json:"always,omitempty"`
	Mute     bool             `json:"not_carried,omitempty"`
	Rule     string           `json:"rule,omitempty"`
	Message  string           `json:"message"`
	Remedy   string           `json:"what_to_do"`
	Example  *problemText     `json:"example,omitempty"`
}

// say is a word in one of the two languages.
func say(lang problem.Lang, fr, en string) string {
	if lang == problem.French {
		return fr
	}
	return en
}

func (b ruleBook) text(code string) (ruleText, bool) {
	t := ruleText{Code: code}
	for _, e := range problem.Catalogue() {
		if e.Code == code {
			t.Message, t.Remedy = say(b.lang, e.MessageFR, e.MessageEN), say(b.lang, e.WhatFR, e.WhatEN)
		}
	}
	for _, r := range rules.Catalogue() {
		if r.Code == code {
			t.Severity, t.Fixed, t.Mute, t.Rule = b.cfg.SeverityOf(code), r.Fixed, r.Mute, r.Official
		}
	}
	t.Message, t.Remedy = placeholder.ReplaceAllString(t.Message, "…"), placeholder.ReplaceAllString(t.Remedy, "…")
	return t, t.Message != ""
}

// placeholder is what a text of the catalogue leaves open.
var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func (b ruleBook) list(asJSON bool) error {
	w := tabwriter.NewWriter(b.out, 0, 4, 2, ' ', 0)
	for _, r := range rules.Catalogue() {
		t, _ := b.text(r.Code)
		if asJSON {
			if err := writeLine(b.out, t); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n\t\t\t→ %s\n", t.Code, t.Severity, t.Rule, t.Message, t.Remedy)
	}
	return w.Flush()
}

func (b ruleBook) explain(code string, asJSON bool) error {
	t, ok := b.text(code)
	if !ok {
		return fmt.Errorf("%w: there is no problem with the code %q; `einvoice rules` lists the checks", errUsage, code)
	}
	if p, ok := rules.Example(code); ok {
		x := textOf(p, b.lang)
		t.Example = &x
	}
	if asJSON {
		return writeLine(b.out, t)
	}
	_, err := io.WriteString(b.out, b.page(t))
	return err
}

// page explains a check to a person.
func (b ruleBook) page(t ruleText) string {
	var p strings.Builder
	fmt.Fprintln(&p, strings.Join(strings.Fields(t.Code+" "+t.Rule), "  "))
	fmt.Fprintf(&p, "\n%s\n→ %s\n", t.Message, t.Remedy)
	if t.Severity != "" {
		fmt.Fprintf(&p, "\n%s\n", b.setting(t))
	}
	if x := t.Example; x != nil {
		fmt.Fprintf(&p, "\n%s\n", say(b.lang, "Exemple", "Example"))
		w := tabwriter.NewWriter(&p, 0, 4, 2, ' ', 0)
		for _, row := range [][2]string{
			{say(b.lang, "champ", "field"), strings.TrimSpace(x.Field + " " + x.BT)},
			{say(b.lang, "valeur", "value"), clip(x.Value, 100)},
			{say(b.lang, "attendu", "expected"), x.Expected},
		} {
			if row[1] != "" {
				fmt.Fprintf(w, "  %s\t%s\n", row[0], row[1])
			}
		}
		w.Flush() // into memory
		fmt.Fprintf(&p, "  %s\n  → %s\n", x.Message, x.Remedy)
	}
	return p.String()
}

// setting says what the check does and how to change that.
func (b ruleBook) setting(t ruleText) string {
	now := fmt.Sprintf(say(b.lang, "Réglage actuel : %s.", "Present setting: %s."), t.Severity)
	if t.Mute {
		now += say(b.lang, " L'API ne transporte pas ce champ.", " The API does not carry this field.")
	}
	if t.Fixed {
		return now + say(b.lang, " Ce contrôle ne se règle pas.", " This check cannot be changed.")
	}
	return now + fmt.Sprintf(say(b.lang, " Pour changer :", " To change it:")+"\n  [rules.severity]\n  %s = \"warn\"     # \"refuse\", \"warn\", \"off\"", t.Code)
}

// writeLine writes one JSON object a line.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// problemText is a problem with its words in one language.
type problemText struct {
	problem.Problem
	Message string `json:"message"`
	Remedy  string `json:"what_to_do"`
	Where   string `json:"where,omitempty"`
}

func textOf(p problem.Problem, lang problem.Lang) problemText {
	return problemText{Problem: p, Message: p.Message(lang), Remedy: p.Remedy(lang), Where: p.Where(lang)}
}
