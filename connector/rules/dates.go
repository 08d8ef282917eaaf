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
		if d.date != "" && year(d.date) == 0 {
			say(finding{field: d.field, bt: d.bt, value: string(d.date)})
		}
	})
}

func dateCentury(s *sheet, say report) {
	s.dates(func(d dated) {
		if y := year(d.date); y != 0 && (y < 2000 || y > 2099) {
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
	if year(due) != 0 && year(issue) != 0 && due < issue {
		say(finding{field: "due_date", bt: "BT-9", value: string(due), expected: ">= " + string(issue)})
	}
}

func notInFuture(s *sheet, say report) {
	if today := s.ctx.Today; today != "" && year(s.inv.IssueDate) != 0 && s.inv.IssueDate > today {
		say(finding{field: "issue_date", bt: "BT-2", value: string(s.inv.IssueDate), expected: "<= " + string(today)})
	}
}

// year is the year of a day that exists, else 0: what Date.Year says, without
// the cost of the general parser, which was a tenth of all checking.
func year(d connector.Date) int {
	if len(d) != len("2006-01-02") || d[4] != '-' || d[7] != '-' {
		return 0
	}
	y, m, day := number(d[:4]), number(d[5:7]), number(d[8:])
	if y < 0 || m < 1 || m > 12 || day < 1 || day > daysOf(y, m) {
		return 0
	}
	return y
}

// number reads digits, -1 where there is something else.
func number(d connector.Date) (n int) {
	for i := range len(d) {
		if d[i] < '0' || d[i] > '9' {
			return -1
		}
		n = n*10 + int(d[i]-'0')
	}
	return n
}

func daysOf(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
