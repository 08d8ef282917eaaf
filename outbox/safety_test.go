package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"einvoice/connector"
	"einvoice/connector/drop"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
	"einvoice/mappers"
)

// newSafeRig has the safety holds of a fresh configuration, but for change.
func newSafeRig(t *testing.T, change func(*Safety)) *rig {
	return newRig(t, func(o *Options, _ *drop.Config) {
		o.Safety = SafetyDefaults()
		if change != nil {
			change(&o.Safety)
		}
	})
}

// reason is the code that an invoice is held for.
func (r *rig) reason(number string) string {
	found, err := r.Ledger.Find(context.Background(), number)
	r.must(err)
	if len(found) == 0 || found[0].State != ledger.Held {
		return ""
	}
	return first(found[0].Problems).Code
}

// prices drops one file with an invoice for each price, to one buyer or the next.
func (r *rig) prices(name string, prices ...string) {
	text := header
	for i, p := range prices {
		text += row(fmt.Sprintf("%s-%d", name, i+1), p)
	}
	r.drop(name+".csv", text)
	r.intake()
	r.sendAll()
}

func (r *rig) release(number string) {
	r.t.Helper()
	found, err := r.Ledger.Find(context.Background(), number)
	r.must(err)
	r.must(r.Ledger.ReleaseHeld(context.Background(), []int64{found[0].ID}, "looked at by Ada"))
	r.sendAll()
}

func TestTotalsFarFromTheCompanysHistoryWaitForAPerson(t *testing.T) {
	cases := []struct {
		name   string
		before []string // prices of invoices that went
		price  string
		change func(*Safety)
		want   string
	}{
		{"ten times the largest is usual", []string{"10", "20", "30"}, "300.00", nil, ""},
		{"more is not", []string{"10", "20", "30"}, "300.01", nil, "E5305"},
		{"two invoices are no history", []string{"10", "31"}, "320.01", nil, ""},
		{"switched off", []string{"10", "20", "30"}, "301", func(s *Safety) { s.FarAbove = 0 }, ""},
		{"another factor", []string{"10", "20", "30"}, "61", func(s *Safety) { s.FarAbove = 2 }, "E5305"},
		{"the digits of the last one, a hundredfold", []string{"12.34"}, "1234", nil, "E5306"},
		{"a thousandfold", []string{"12.34"}, "12340", nil, "E5306"},
		{"a hundredth", []string{"12.50"}, "0.125", nil, "E5306"},
		{"tenfold is ten pieces", []string{"12.34"}, "123.40", nil, ""},
		{"other digits", []string{"12.34"}, "1240", nil, ""},
		{"switched off as well", []string{"12.34"}, "1234", func(s *Safety) { s.PowerOfTen = "send" }, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newSafeRig(t, c.change)
			r.prices("old", c.before...)
			r.want(fmt.Sprintf("old-%d", len(c.before)), ledger.Sent)
			r.prices("new", c.price)
			if got := r.reason("new-1"); got != c.want {
				t.Fatalf("held for %q, want %q", got, c.want)
			}
			if c.want == "" {
				return
			}
			r.posts("new-1", 0)
			r.release("new-1")
			r.posts("new-1", 1)
			r.prices("next", c.price) // a person found it right: it is history now
			r.want("next-1", ledger.Sent)
		})
	}
}

func TestHistoryIsForgottenAfterItsDays(t *testing.T) {
	r := newSafeRig(t, func(s *Safety) { s.OtherYear = "send" })
	r.prices("old", "10", "20", "30")
	r.clock.add(91 * 24 * time.Hour)
	r.prices("new", "900")
	r.want("new-1", ledger.Sent)
}

func TestTheFirstExportOfACompanyOrMappingWaitsInProduction(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		production bool
		held       bool
	}{
		{"production", "hold", true, true}, {"sandbox", "hold", false, false},
		{"sandbox, asked for", "always", false, true}, {"switched off", "send", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(o *Options, _ *drop.Config) {
				o.Safety, o.Production = Safety{FirstRun: c.mode}, c.production
			})
			r.prices("a", "10", "20")
			if held := r.reason("a-1") == "E5301"; held != c.held {
				t.Fatalf("held: %t", held)
			}
			if !c.held {
				return
			}
			r.prices("b", "30")
			if r.reason("b-1") != "E5301" {
				t.Error("the second file went although nobody has looked at the first")
			}
			r.release("a-1")
			r.prices("c", "40")
			r.want("c-1", ledger.Sent)
			r.want("a-2", ledger.Held)
			r.Drops[0].Mappings[0][0].Name = "another"
			r.prices("d", "50")
			if got := r.reason("d-1"); got != "E5302" {
				t.Errorf("first file of another mapping: held for %q", got)
			}
		})
	}
}

func TestAnInvoiceWithoutAnyVATWaits(t *testing.T) {
	zero := header + "Z1;2026-11-02;Client;20000000800017;Vis;1;10;0\n" +
		"Z2;2026-11-02;Client;20000000800017;Vis;1;10;0\nZ2;2026-11-02;Client;20000000800017;Clou;1;10;20\n"
	for _, c := range []struct {
		name   string
		change func(*Safety)
		want   string
	}{
		{"held", nil, "E5303"},
		{"switched off", func(s *Safety) { s.ZeroVAT = "send" }, ""},
		{"usual for this company", func(s *Safety) { s.ZeroVATUsual = []string{"acme"} }, ""},
		{"usual for another one", func(s *Safety) { s.ZeroVATUsual = []string{"other"} }, "E5303"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newSafeRig(t, c.change)
			r.Drops[0].Mappings[0][0] = load(t, strings.Replace(mapping, `value = "S"`, `value = "Z"`, 1))
			r.drop("z.csv", zero)
			r.intake()
			if got := r.reason("Z1"); got != c.want {
				t.Errorf("held for %q, want %q", got, c.want)
			}
			if got := r.reason("Z2"); got != "" {
				t.Errorf("an invoice with one rate of 20 is held for %q", got)
			}
		})
	}
}

func TestDatesInAnotherFiscalYear(t *testing.T) {
	for _, c := range []struct {
		today, date connector.Date
		month       int
		held        bool
	}{
		{"2026-11-20", "2026-01-01", 1, false},
		{"2026-11-20", "2025-12-31", 1, true},
		{"2026-11-20", "2027-01-01", 1, true},
		{"2027-01-05", "2026-12-28", 1, false},
		{"2027-01-31", "2026-12-31", 1, false},
		{"2027-02-01", "2026-12-31", 1, true},
		{"2027-01-05", "2026-12-22", 1, false},
		{"2027-01-05", "2026-12-21", 1, true},
		{"2027-01-05", "2025-12-28", 1, true},
		{"2026-12-30", "2027-01-03", 1, false},
		{"2026-12-30", "2027-01-11", 1, true},
		{"2026-09-01", "2026-06-30", 7, true},
		{"2026-07-15", "2026-06-30", 7, false},
		{"2026-03-01", "2025-07-01", 7, false},
		{"2026-11-20", "", 1, false}, // refused for other reasons
	} {
		s := SafetyDefaults()
		s.FiscalYearMonth = c.month
		if got := s.inOtherYear(c.date, c.today); got != c.held {
			t.Errorf("on %s, year from month %d, date %s: held %t", c.today, c.month, c.date, got)
		}
	}
	r := newSafeRig(t, nil)
	r.drop("old.csv", header+strings.Replace(row("O1", "10"), "2026-11-02", "2025-11-02", 1))
	r.intake()
	if got := r.reason("O1"); got != "E5304" {
		t.Errorf("an invoice of last year is held for %q", got)
	}
	r.release("O1")
	r.posts("O1", 1)
}

func TestSafetySettingsOutOfBounds(t *testing.T) {
	r := setting.NewReport()
	SafetyDefaults().Validate(r, []string{"acme"})
	if len(r.Mistakes()) > 0 {
		t.Fatalf("the defaults are wrong: %v", r.Mistakes())
	}
	Safety{FirstRun: "no", PowerOfTen: "always", ZeroVAT: "x", OtherYear: "", FarAbove: -1, HistoryDays: 0, FiscalYearMonth: 13,
		GraceDays: 40, ZeroVATUsual: []string{"nobody"}}.Validate(r, []string{"acme"})
	if len(r.Mistakes()) != 9 {
		t.Errorf("mistakes: %v", r.Mistakes())
	}
}

func load(t *testing.T, text string) *mappers.Mapping {
	t.Helper()
	m, err := mappers.Load("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
