package drop

import (
	"strings"
	"testing"
	"time"

	"einvoice/connector/setting"
)

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		key    string
		text   string
	}{
		"no name":                    {func(c *Config) { c.Name = "" }, "name", "missing"},
		"name with a slash":          {func(c *Config) { c.Name = "a/b" }, "name", "letters"},
		"no path":                    {func(c *Config) { c.Path = " " }, "path", "missing"},
		"tab in a Windows path":      {func(c *Config) { c.Path = "C:\temp" }, "path", "single quotes"},
		"broken pattern":             {func(c *Config) { c.Include = []string{"[a"} }, "include", "no pattern"},
		"pattern with a folder":      {func(c *Config) { c.Include = []string{"in/*.csv"} }, "include", "sub-folders"},
		"pattern of temporary files": {func(c *Config) { c.Include = []string{"*.tmp"} }, "include", "never read"},
		"settle without a wait":      {func(c *Config) { c.Settle = 0 }, "settle", "must be from"},
		"scan of a day":              {func(c *Config) { c.Scan = setting.Duration(24 * time.Hour) }, "scan", "must be from"},
		"unknown complete":           {func(c *Config) { c.Complete = "soon" }, "complete", "one of"},
		"trigger without a pattern":  {func(c *Config) { c.Complete, c.Trigger = Trigger, nil }, "trigger", "needs a pattern"},
		"trigger that is the export": {func(c *Config) { c.Trigger = []string{"{name}{ext}"} }, "trigger", "differ"},
		"trigger without the name":   {func(c *Config) { c.Trigger = []string{"go.trg"} }, "trigger", "{name}"},
		"unknown on_error":           {func(c *Config) { c.OnError = "stop" }, "on_error", "one of"},
		"unknown after":              {func(c *Config) { c.After = "move" }, "after", "one of"},
		"tail hold of a week":        {func(c *Config) { c.TailHold = setting.Duration(168 * time.Hour) }, "tail_hold", "must be from"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := valid()
			c.change(&cfg)
			r := setting.NewReport()
			cfg.Validate(r)
			m := r.Mistakes()
			if len(m) != 1 || m[0].Key != c.key || !strings.Contains(m[0].Text, c.text) {
				t.Errorf("mistakes %v, want one about %s with %q", m, c.key, c.text)
			}
		})
	}
}

func TestDefaultsNeedOnlyNameAndPath(t *testing.T) {
	r := setting.NewReport()
	valid().Validate(r)
	if m := r.Mistakes(); len(m) != 0 {
		t.Errorf("mistakes: %v", m)
	}
}

func valid() Config {
	c := Defaults()
	c.Name, c.Path = "sage", `D:\erp\out`
	return c
}
