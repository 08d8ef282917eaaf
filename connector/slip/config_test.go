package slip

import (
	"testing"
	"time"

	"einvoice/connector/setting"
)

func TestSlipsFollowEachOtherWithoutAGap(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	c := Config{At: "19:00"}
	for _, tt := range []struct{ now, want string }{
		{"2026-05-14 18:59", "2026-05-13 19:00"}, {"2026-05-14 19:00", "2026-05-14 19:00"}, {"2026-03-29 20:00", "2026-03-29 19:00"},
	} {
		now, _ := time.ParseInLocation("2006-01-02 15:04", tt.now, paris)
		due, ok := c.Due(now)
		if got := due.Format("2006-01-02 15:04"); !ok || got != tt.want {
			t.Errorf("at %s due is %s, want %s", tt.now, got, tt.want)
		}
	}
	before := time.Date(2026, 3, 28, 19, 0, 0, 0, paris)
	if next := c.Next(before); next.Sub(before) != 23*time.Hour || next.Hour() != 19 {
		t.Errorf("over the change to summer time: %v", next)
	}
	if _, ok := (Config{}).Due(before); ok {
		t.Error("a slip without an hour")
	}
	for at, mistakes := range map[string]int{"19:00": 0, "": 0, "25:00": 1, "7pm": 1} {
		r := setting.NewReport()
		Config{At: at}.Validate(r)
		if len(r.Mistakes()) != mistakes {
			t.Errorf("%q: %v", at, r.Mistakes())
		}
	}
}
