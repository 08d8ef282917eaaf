package rules

import "einvoice/connector"

// dated is a date of the invoice with its name.
type dated struct {
	date      connector.Date
	field, bt string
}

func (s *sheet) dates(visit func(dated)) {
	visit(dated{s.inv.IssueDate, "issue_date", "BT-2"})
	visit(dated{s.inv.DueDate, "due_date", "BT-9"})
	visit(dated{s.inv.Deliver, "delivery_date", "BT-72"})
	for i := range s.inv.Preceding {
		visit(dated{s.inv.Preceding[i].Date, precedingField(i, "date"), "BT-26"})
	}
}

func realDates(s *sheet, say report) {
	s.dates(func(d dated) {
		if d.date != "" && d.date.Year() == 0 {
			say(finding{field: d.field, bt: d.bt, value: string(d.date)})
		}
	})
}

func dateCentury(s *sheet, say report) {
	s.dates(func(d dated) {
		if y := d.date.Year(); y != 0 && (y < 2000 || y > 2099) {
			say(finding{field: d.field, bt: d.bt, value: string(d.date)})
		}
	})
}

// dueAfterIssue does not bind deposits and invoices already paid: their due
// date may be the day of payment.
func dueAfterIssue(s *sheet, say report) {
	if s.deposit() || s.alreadyPaid() {
		return
	}
	due, issue := s.inv.DueDate, s.inv.IssueDate
	if due.Year() != 0 && issue.Year() != 0 && due < issue {
		say(finding{field: "due_date", bt: "BT-9", value: string(due), expected: ">= " + string(issue)})
	}
}

func notInFuture(s *sheet, say report) {
	if today := s.ctx.Today; today != "" && s.inv.IssueDate.Year() != 0 && s.inv.IssueDate > today {
		say(finding{field: "issue_date", bt: "BT-2", value: string(s.inv.IssueDate), expected: "<= " + string(today)})
	}
}
