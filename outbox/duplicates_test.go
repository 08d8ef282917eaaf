package outbox

import (
	"context"
	"strings"
	"testing"

	"einvoice/connector"
	"einvoice/connector/api"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/mappers"
)

// wide is the mapping of exports that also say what is no part of the fiscal content.
var wide = strings.Replace(mapping, `recipient.name = "client"`, `recipient.name = "client"
recipient.email = "mail"
sender.fiscal_id = "seller"`, 1)

const wideHeader = "number;date;client;siret;item;qty;price;vat;mail;printed;seller\n"

// bill is one invoice of such an export; changes are pairs of old and new.
func bill(changes ...string) string {
	return strings.NewReplacer(changes...).Replace("F1;2026-11-02;Client;20000000800017;Vis;1;10.00;20;a@example.test;20/11/2026;10000000900017\n")
}

// TestTheSameNumberAgain goes through what may come after an invoice under its
// number, and what becomes of it.
func TestTheSameNumberAgain(t *testing.T) {
	later := func(code int) func(*rig) {
		return func(r *rig) {
			found, err := r.Ledger.Find(context.Background(), "F1")
			r.must(err)
			s := connector.Status{State: connector.StateError, Code: code, At: r.clock.now()}
			if _, err := r.Ledger.ApplyStatus(context.Background(), found[0].ID, s, true); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	same, other := bill(), bill("10.00", "11.00")
	for _, c := range []struct {
		name   string
		answer api.Fate     // to the first; "": it was not sent yet
		then   func(*rig)   // what happened to it later
		again  string       // what comes next
		want   ledger.State // of that
		code   string       // why
		posts  int          // of both together
	}{
		{"the same bytes", api.Sent, nil, same, ledger.Duplicate, "E5001", 1},
		{"another print date", api.Sent, nil, bill("20/11/2026", "21/11/2026"), ledger.Duplicate, "E5001", 1},
		{"a corrected e-mail", api.Sent, nil, bill("a@", "b@"), ledger.Duplicate, "E5001", 1},
		{"another label", api.Sent, nil, bill("Vis", "Vis M4"), ledger.Duplicate, "E5001", 1},
		{"another total, never attempted", "", nil, other, ledger.Sent, "", 1},
		{"another total, sent", api.Sent, nil, other, ledger.Conflict, "E5004", 1},
		{"another date, sent", api.Sent, nil, bill("11-02", "11-03"), ledger.Conflict, "E5004", 1},
		{"another buyer, sent", api.Sent, nil, bill("20000000800017", "73282932000017"), ledger.Conflict, "E5004", 1},
		{"another total, uncertain", api.Unsure, nil, other, ledger.Conflict, "E5012", 1},
		{"the same, uncertain", api.Unsure, nil, same, ledger.Duplicate, "E5001", 1},
		{"the same, refused at once", api.Refused, nil, same, ledger.Rejected, "", 2},
		{"another total, refused at once", api.Refused, nil, other, ledger.Rejected, "", 2},
		{"another year, another total", api.Sent, nil, bill("2026-11-02", "2027-01-02", "10.00", "11.00"), ledger.Sent, "", 2},
		{"another year, the same total", api.Sent, nil, bill("2026-11-02", "2027-01-02"), ledger.Held, "E5005", 1},
		{"another company", api.Sent, nil, bill("10000000900017", "73282932000017", "20000000800017", "10000000900017"), ledger.Queued, "", 1},
		{"the same, rejected later (213)", api.Sent, later(213), same, ledger.Duplicate, "E5001", 1},
		{"another total, rejected later (213)", api.Sent, later(213), other, ledger.Conflict, "E5004", 1},
		{"the same, refused by the buyer (210)", api.Sent, later(210), same, ledger.Duplicate, "E5001", 1},
		{"another total, refused by the buyer (210)", api.Sent, later(210), other, ledger.Conflict, "E5004", 1},
		{"the same, inadmissible (501)", api.Sent, later(501), same, ledger.Sent, "", 2},
		{"another total, inadmissible (501)", api.Sent, later(501), other, ledger.Sent, "", 2},
		{"another total, not routed (221)", api.Sent, later(221), other, ledger.Sent, "", 2},
		{"the same, in error for an unknown cause", api.Sent, later(0), same, ledger.Held, "E5006", 1},
		{"another total, in error for an unknown cause", api.Sent, later(0), other, ledger.Held, "E5006", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.Drops[0].Mappings = [][]*mappers.Mapping{{load(t, wide)}}
			r.Drops[0].Companies = append([]connector.Company{{ID: "other", FiscalID: "73282932000017", Name: "Other"}}, seller)
			r.api.answer = func(connector.Invoice, int) api.Answer {
				return api.Answer{Fate: c.answer, Problems: []problem.Problem{{Code: "E4000", Severity: problem.Refuse}}}
			}
			r.drop("first.csv", wideHeader+bill())
			r.intake()
			if c.answer != "" {
				r.sendAll()
			}
			if c.answer == "" || c.answer == api.Sent {
				r.api.answer = nil
			}
			if c.then != nil {
				c.then(r)
			}
			r.drop("second.csv", wideHeader+c.again)
			r.intake()
			r.sendAll()
			found, err := r.Ledger.Find(context.Background(), "F1")
			r.must(err)
			newest := found[0]
			code := ""
			if newest.State != ledger.Sent && newest.State != ledger.Rejected && len(newest.Problems) > 0 {
				code = first(newest.Problems).Code
				if newest.State == ledger.Duplicate {
					code = newest.Problems[0].Code
				}
			}
			if c.code == "" {
				code = ""
			}
			if newest.State != c.want || code != c.code {
				t.Errorf("it is %s for %q (%v), want %s for %q", newest.State, code, newest.Problems, c.want, c.code)
			}
			r.posts("F1", c.posts)
		})
	}
}

// TestADuplicateSaysWhatTheFirstOneNeeds: "nothing to do" is for those alone that
// are at the platform, and stand.
func TestADuplicateSaysWhatTheFirstOneNeeds(t *testing.T) {
	failed := func(code int) func(*rig) {
		return func(r *rig) {
			r.sendAll()
			found, err := r.Ledger.Find(t.Context(), "F1")
			r.must(err)
			_, err = r.Ledger.ApplyStatus(t.Context(), found[0].ID, connector.Status{State: connector.StateError, Code: code, At: r.clock.now()}, true)
			r.must(err)
		}
	}
	answered := func(fate api.Fate) func(*rig) {
		return func(r *rig) {
			r.api.answer = func(connector.Invoice, int) api.Answer { return api.Answer{Fate: fate, Scope: api.ScopeCompany} }
			r.sendAll()
		}
	}
	for _, c := range []struct {
		first  string
		then   func(*rig)
		en, fr string // of what is to be done
	}{
		{"sent", answered(api.Sent), "Nothing to do", "Rien à faire"},
		{"not sent yet", func(*rig) {}, "einvoice status", "einvoice status"},
		{"stopped", answered(api.Stopped), "einvoice status", "einvoice status"},
		{"uncertain", answered(api.Unsure), "looked up", "recherchée"},
		{"held", func(r *rig) {
			found, err := r.Ledger.Find(t.Context(), "F1")
			r.must(err)
			r.must(r.Ledger.Hold(t.Context(), []int64{found[0].ID}, "Anne"))
		}, "release the first", "libérez la première"},
		{"refused by the buyer (210)", failed(210), "under a new number", "sous un nouveau numéro"},
		{"rejected later (213)", failed(213), "under a new number", "sous un nouveau numéro"},
		{"in error, with the question held", func(r *rig) {
			failed(0)(r)
			r.drop("asked.csv", header+row("F1", "10.00"))
			r.intake()
		}, "release the first", "libérez la première"},
	} {
		t.Run(c.first, func(t *testing.T) {
			r := newRig(t, nil)
			r.drop("first.csv", header+row("F1", "10.00"))
			r.intake()
			c.then(r)
			r.drop("second.csv", header+row("F1", "10.00"))
			r.intake()
			found, err := r.Ledger.Find(t.Context(), "F1")
			r.must(err)
			p := found[0].Cause()
			if p.Code != "E5001" {
				t.Fatalf("it says %s", p.Code)
			}
			if en, fr := p.Remedy(problem.English), p.Remedy(problem.French); !strings.Contains(en, c.en) || !strings.Contains(fr, c.fr) {
				t.Errorf("what to do: %s / %s", en, fr)
			}
		})
	}
}
