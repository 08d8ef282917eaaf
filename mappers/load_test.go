package mappers

import (
	"errors"
	"strings"
	"testing"
)

// small is a correct mapping to be spoilt.
const small = `[input]
format = "csv"
decimal = ","

[invoice]
key = "Facture"

[invoice.fields]
document_number = "Facture"
issue_date = "Date"

[lines.fields]
description = "Texte"
unit_price = { from = "PU", default = "0" }
`

func TestMistakesAreFoundWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "decimal = ", "decimel = ", `3:1: unknown key "input.decimel"; did you mean "decimal"?`},
		{"unknown section", "[invoice]\n", "[invioce]\n", `unknown key "invioce"`},
		{"not TOML", "key = ", "key ", `6:5: `},
		{"wrong type", `decimal = ","`, `decimal = 1`, `3:11: `},
		{"unknown field", "issue_date", "isue_date", `10:1: invoice.fields.isue_date: unknown field; did you mean "issue_date"?`},
		{"unknown line field", "description =", "label =", `lines.fields.label: unknown field; known are description,`},
		{"unknown party field", `issue_date = "Date"`, "issue_date = \"Date\"\nrecipient.nam = \"x\"", `11:11: invoice.fields.recipient.nam: unknown field; did you mean "recipient.name"?`},
		{"field cut short", `issue_date = "Date"`, "issue_date = \"Date\"\nrecipient.address.zip = \"x\"", `did you mean "recipient.address.zip_code"?`},
		{"unknown key in a rule", "default", "defalt", `14:29: lines.fields.unit_price.defalt: unknown key; did you mean "default"?`},
		{"required field", `issue_date = "Date"`, "", `issue_date is missing: every invoice has one`},
		{"no key", `key = "Facture"`, `where = 'has("x")'`, ``},
		{"constant of a wrong type", `default = "0"`, `default = "zéro"`, `14:29: lines.fields.unit_price.default: "zéro" cannot be read as the field's type`},
		{"float constant", `default = "0"`, `default = 5.5`, `must be a text in quotes`},
		{"float in an expression", `{ from = "PU", default = "0" }`, `{ expr = 'num("PU") * 0.2' }`, `14:16: lines.fields.unit_price.expr: not an expression: invalid operation: * (mismatched types decimal.Decimal and float64) (at its character 11); write decimals as dec("0.2")`},
		{"float result", `{ from = "PU", default = "0" }`, `{ expr = '0.2' }`, `write decimals as dec("0.2")`},
		{"mixed result", `{ from = "PU", default = "0" }`, `{ expr = 'has("PU") ? 1 : "x"' }`, `the type of the result is not known`},
		{"condition that is none", `key = "Facture"`, "key = \"Facture\"\nwhere = 'col(\"x\")'", `7:1: invoice.where: the result is of type string, but must be a condition`},
		{"name that is not constant", `{ from = "PU", default = "0" }`, `{ expr = 'num(col("PU"))' }`, `num() needs a name in quotes`},
		{"unknown function", `{ from = "PU", default = "0" }`, `{ expr = 'float("1")' }`, `unknown name float`},
		{"clock", `{ from = "PU", default = "0" }`, `{ expr = 'string(now())' }`, `unknown name`},
		{"no source", `{ from = "PU", default = "0" }`, `{ default = "0" }`, `needs exactly one of from, value and expr`},
		{"column beyond Excel", `"PU"`, `"#99999"`, `not a column: "#99999"`},
		{"bad column letter", `"PU"`, `"@1"`, `not a column: "@1"`},
		{"bad regular expression", `default = "0"`, `match = '('`, `missing closing )`},
		{"escape in double quotes", `default = "0"`, `match = "\d"`, `write regular expressions and Windows paths in single quotes`},
		{"no such table", `default = "0"`, `map = "tva"`, `there is no [map.tva]`},
		{"bad date format", `decimal = ","`, "date = \"mm/yy\"", `3:1: input.date: not a date format: "mm/yy"`},
		{"bad encoding", `decimal = ","`, `encoding = "ebcdic"`, `3:1: input.encoding: is "ebcdic"`},
		{"bad format", `"csv"`, `"ods"`, `2:1: input.format: is "ods"`},
		{"charge without amount", "[lines.fields]", "[[charge]]\ndescription = \"Port\"\n[lines.fields]", `12:3: charge[0]: needs either amount or percent`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.old, c.new, 1)
			if text == small {
				t.Fatal("nothing was spoilt")
			}
			_, err := Load("x", []byte(text))
			if c.want == "" {
				if err != nil {
					t.Errorf("unexpected: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			mistakes, _ := errors.AsType[Errors](err)
			for _, m := range mistakes {
				if m.French == m.Text || m.French == "" {
					t.Errorf("no French for %s", m.Text)
				}
			}
		})
	}
}

func TestAllMistakesAreListedAtOnce(t *testing.T) {
	text := strings.NewReplacer("decimal", "decimel", "issue_date", "isue_date", `default = "0"`, `defalt = "0"`).Replace(small)
	_, err := Load("x", []byte(text))
	mistakes, ok := err.(Errors)
	if !ok || len(mistakes) != 4 { // and the missing issue_date
		t.Fatalf("got %v", err)
	}
	for i := 1; i < len(mistakes); i++ {
		if mistakes[i].Line < mistakes[i-1].Line {
			t.Errorf("not in the order of the file: %v", err)
		}
	}
}

func TestNotepadPutsAByteOrderMark(t *testing.T) {
	if _, err := Load("x", []byte("\xef\xbb\xbf"+small)); err != nil {
		t.Error(err)
	}
}

func TestPresetsLoad(t *testing.T) {
	names := Presets()
	if len(names) < 3 {
		t.Fatalf("presets: %v", names)
	}
	for _, name := range names {
		data, ok := Preset(name)
		if !ok {
			t.Fatalf("no preset %s", name)
		}
		if _, err := Load(name, data); err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
	}
	if _, ok := Preset("../mapping.go"); ok {
		t.Error("a preset outside of the folder")
	}
}
