package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/setting"
)

func TestEmbeddedExampleIsTheOneAtTheTop(t *testing.T) {
	top, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if string(top) != exampleConfig {
		t.Error("cmd/einvoice/config.example.toml is not ../../config.example.toml: run go generate ./cmd/einvoice")
	}
}

// shown matches a key, or a section, that the example shows as a default.
var shown = regexp.MustCompile(`(?m)^#([a-z_]+ = |\[\[)`)

// TestExampleShowsEveryKeyWithItsDefault puts every shown default into force:
// the result must be a valid configuration, with no key of the structs missing
// and every default that of the code.
func TestExampleShowsEveryKeyWithItsDefault(t *testing.T) {
	forced := shown.ReplaceAllString(exampleConfig, "$1")
	c := defaultConfig()
	if faults := setting.Decode([]byte(forced), &c, nil); len(faults) > 0 {
		t.Fatal(setting.Faults{File: "example", List: faults})
	}
	spots := setting.Positions([]byte(forced))
	for _, key := range keysOf(reflect.TypeOf(c), "") {
		indexed := strings.NewReplacer("company.", "company[0].", "drop.", "drop[0].", "sftp.", "sftp[0].", "share.", "share[0].").Replace(key)
		if key == "company" || key == "drop" || key == "sftp" || key == "share" {
			indexed = key + "[0]"
		}
		if key == "folders.drop" {
			indexed = key
		}
		if _, ok := spots[indexed]; !ok {
			t.Errorf("config.example.toml does not show %s", key)
		}
	}
	want := defaultConfig()
	// These are values of the example, not defaults.
	want.Language, want.API.BaseURL, want.API.TokenFile = c.Language, c.API.BaseURL, c.API.TokenFile
	want.Companies, want.Drops, want.SFTP, want.Shares = c.Companies, c.Drops, c.SFTP, c.Shares
	want.Folders = folderNames("fr")
	if want.Rules.Severity == nil {
		want.Rules.Severity = c.Rules.Severity
	}
	for _, empty := range []*[]string{&want.Alarm.MailTo, &c.Alarm.MailTo, &want.Results.AckColumns, &want.Results.StatusColumns, &c.Results.AckColumns, &c.Results.StatusColumns,
		&c.Rules.ServiceCode, &c.Rules.Commitment, &want.Rules.ServiceCode, &want.Rules.Commitment, &c.Safety.ZeroVATUsual, &c.Results.StatusAt, &c.API.NoProxy, &c.API.OAuth.Scopes} {
		if len(*empty) == 0 {
			*empty = nil
		}
	}
	if len(c.Results.Places)+len(c.Results.Widths) == 0 {
		c.Results.Places, c.Results.Widths = nil, nil
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("a default of the example is not the code's:\nexample %+v\ncode    %+v", c, want)
	}
	d := drop.Defaults()
	d.Name, d.Company, d.Path = "demo", "demo", "a_envoyer"
	d.Include, d.Mapping = c.Drops[0].Include, c.Drops[0].Mapping
	if len(d.Include)+len(d.Mapping) > 0 || !reflect.DeepEqual(c.Drops[0], d) {
		t.Errorf("a default of [[drop]] is not the code's:\nexample %+v\ncode    %+v", c.Drops[0], d)
	}
	s := sftpplace.Defaults()
	s.Host, s.User, s.KeyFile, s.HostKeys = "sftp.example.com", "erp", "sftp_key", c.SFTP[0].HostKeys
	if !reflect.DeepEqual(c.SFTP[0], s) {
		t.Errorf("a default of [[sftp]] is not the code's:\nexample %+v\ncode    %+v", c.SFTP[0], s)
	}
}

func TestExampleIsAValidConfiguration(t *testing.T) {
	for name, text := range map[string]string{"as written": exampleConfig, "defaults in force": shown.ReplaceAllString(exampleConfig, "$1")} {
		if _, faults := parseConfig([]byte(text)); len(faults) > 0 {
			t.Errorf("%s:\n%v", name, setting.Faults{File: "config.example.toml", List: faults})
		}
	}
}

// TestMistakesAreAllToldWithTheirPlace has one mistake per row; all come at
// once in the last case.
func TestMistakesAreAllToldWithTheirPlace(t *testing.T) {
	cases := []struct{ name, section, key, value, want string }{
		{"unknown key", "api", "timeout", `"1m"` + "\ntimeuot = 1", "api.timeuot: unknown key; did you mean api.timeout?"},
		{"unknown language", "", "language", `"de"`, "language: is \"de\""},
		{"production against a sandbox", "", "environment", `"production"`, "environment: is \"production\", but api.base_url is a sandbox"},
		{"sandbox against production", "api", "base_url", `"https://invoice.openapi.com"`, "environment = \"production\""},
		{"SIREN with a letter", "company", "fiscal_id", `"10000000A"`, "company[0].fiscal_id: is \"10000000A\""},
		{"two folders in one", "folders", "results", `'a_envoyer'`, "folders.results: is the same folder as drop"},
		{"unknown company", "drop", "company", `"nobody"`, "drop[0].company: is \"nobody\""},
		{"tab in a path", "mappings", "folder", `"C:\temp"`, "mappings.folder: has a control character"},
		{"variable in a path", "mappings", "folder", `'%PROGRAMDATA%\mappings'`, "mappings.folder: is \"%PROGRAMDATA%"},
		{"company that no folder can be named after", "company", "id", `"con"`, "company[0].id: is \"con\", a name that Windows"},
		{"negative number", "alarm", "token_days", "-1", "alarm.token_days: is -1"},
		{"duration without unit", "drop", "settle", `"5"`, "not a duration"},
		{"duration as a bare number", "drop", "tail_hold", "10", `drop[0].tail_hold: not a duration: "10"`},
		{"duration as a bare number, too short anyhow", "drop", "settle", "5", `drop[0].settle: not a duration: "5"`},
		{"mail that never has the time to go", "mail", "timeout", "30", `mail.timeout: not a duration: "30"`},
		{"alarm that is always on", "alarm", "no_export", "24", `alarm.no_export: not a duration: "24"`},
		{"alarm in nanoseconds", "alarm", "callback_silence", "24", `alarm.callback_silence: not a duration: "24"`},
		{"log without days", "log", "rotate_every", "7", `log.rotate_every: not a duration: "7"`},
		{"waits of hours", "outbox", "max_age", "72", `outbox.max_age: not a duration: "72"`},
		{"look-ups at once", "outbox", "lookups", "[30]", `outbox.lookups: not a duration: "30"`},
		{"check that may not be weakened", "rules.severity", " E3016", `"warn"` + "\nE3001 = \"off\"", "cannot be changed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := setKey(exampleConfig, c.section, c.key, c.value)
			if text == exampleConfig {
				t.Fatal("the example has no such key")
			}
			_, faults := parseConfig([]byte(text))
			all := setting.Faults{File: "f", List: faults}
			if !strings.Contains(all.Error(), c.want) {
				t.Errorf("want %q in:\n%v", c.want, all)
			}
			for _, f := range faults {
				if f.Line < 2 {
					t.Errorf("no place: %+v", f)
				}
			}
		})
	}
}

func TestSecretsNeverShowInMistakes(t *testing.T) {
	text := setKey(exampleConfig, "api", "proxy", `"http://user:canary@proxy.example:99999/%zz"`)
	_, faults := parseConfig([]byte(text))
	if s := (setting.Faults{File: "f", List: faults}).Error(); strings.Contains(s, "canary") || len(faults) == 0 {
		t.Errorf("the proxy's password shows, or the mistake does not: %s", s)
	}
}

func TestValuesOfAWrongTypeHideNoOtherMistake(t *testing.T) {
	text := setKey(exampleConfig, "outbox", "retry_min", `"2 hours"`)
	text = setKey(text, "outbox", "workers", `"many"`)
	text = setKey(text, "log", "level", `"loud"`)
	text = setKey(text, "inbox.poll", "budget", "0")
	_, faults := parseConfig([]byte(text))
	all := setting.Faults{File: "f", List: faults}
	for _, want := range []string{"not a duration", "workers", "log.level", "inbox.poll.budget"} {
		if !strings.Contains(all.Error(), want) {
			t.Errorf("no %q in:\n%v", want, all)
		}
	}
}
