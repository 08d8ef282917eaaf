package mappers

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"einvoice/connector"
	"einvoice/connector/setting"
)

// dateFormat is one way of writing dates: "dd/mm/yyyy", "yyyymmdd", "ddmmyy",
// "mmm dd yyyy" with the month's name, "excel" for a serial number. French letters (jj/mm/aaaa) mean the same.
type dateFormat struct {
	text   string
	serial bool
	tokens []dateToken
}

// dateToken is a part of the date, or a separator.
type dateToken struct {
	letter  byte // y m d, or 0 for a separator
	width   int  // of a part
	fixed   bool // exactly width digits, because another part follows at once
	literal byte
}

// compileDate reads a format; the error says what it lacks.
func compileDate(text string) (dateFormat, error) {
	f := dateFormat{text: text}
	if strings.EqualFold(text, "excel") {
		f.serial = true
		return f, nil
	}
	low := strings.NewReplacer("j", "d", "a", "y").Replace(strings.ToLower(text))
	seen := map[byte]int{}
	for i := 0; i < len(low); {
		c := low[i]
		if c != 'y' && c != 'm' && c != 'd' {
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
				return f, setting.Say(`not a date format: %q; use d, m, y (or j, m, a) and separators, such as "dd/mm/yyyy", or "excel"`, text)
			}
			f.tokens = append(f.tokens, dateToken{literal: c})
			i++
			continue
		}
		n := i
		for n < len(low) && low[n] == c {
			n++
		}
		seen[c] += n - i
		f.tokens = append(f.tokens, dateToken{letter: c, width: n - i})
		i = n
	}
	if seen['d'] != 2 || seen['m'] != 2 && seen['m'] != 3 || seen['y'] != 2 && seen['y'] != 4 {
		return f, setting.Say(`not a date format: %q; it needs dd, mm and yyyy (or yy) once each, such as "dd/mm/yyyy"`, text)
	}
	for i := range f.tokens {
		joined := i+1 < len(f.tokens) && f.tokens[i+1].letter != 0 || i > 0 && f.tokens[i-1].letter != 0
		f.tokens[i].fixed = joined || f.tokens[i].letter == 'y'
	}
	return f, nil
}

// parse reads a date; a time or a zone after it is left out.
func (f dateFormat) parse(s string) (connector.Date, bool) {
	var year, month, day int
	for _, t := range f.tokens {
		if t.letter == 0 {
			if s == "" || s[0] != t.literal {
				return "", false
			}
			s = s[1:]
			continue
		}
		if t.width == 3 {
			if month, s = monthName(s); month == 0 {
				return "", false
			}
			continue
		}
		n := 0
		for n < len(s) && n < t.width && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 0 || t.fixed && n != t.width {
			return "", false
		}
		number, _ := strconv.Atoi(s[:n])
		switch t.letter {
		case 'd':
			day = number
		case 'm':
			month = number
		case 'y':
			if year = number; t.width == 2 {
				year += 2000
			}
		}
		s = s[n:]
	}
	if !timeOfDay(s) {
		return "", false
	}
	return dayOf(year, month, day)
}

// monthNames are how names of months begin, in English and in French.
var monthNames = [12][]string{{"jan"}, {"feb", "fev", "fév"}, {"mar"}, {"apr", "avr"}, {"may", "mai"}, {"jun", "juin"},
	{"jul", "juil"}, {"aug", "aou", "aoû"}, {"sep"}, {"oct"}, {"nov"}, {"dec", "déc"}}

// monthName reads "Jan", "janv." or "January"; 0 is none.
func monthName(s string) (month int, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '.' })
	if end < 0 {
		end = len(s)
	}
	name := strings.ToLower(s[:end])
	for i, all := range monthNames {
		for _, begin := range all {
			if strings.HasPrefix(name, begin) {
				return i + 1, s[end:]
			}
		}
	}
	return 0, s
}

// timeOfDay tells whether what follows a date is a time, a zone or nothing.
func timeOfDay(rest string) bool {
	if rest == "" {
		return true
	}
	if strings.Trim(rest, "0123456789") == "" {
		return len(rest) == 4 || len(rest) == 6 // yyyymmddhhmmss
	}
	return strings.ContainsAny(rest[:1], " T+-Z") && strings.Trim(rest, " TZ0123456789:.+-hH") == ""
}

func dayOf(year, month, day int) (connector.Date, bool) {
	if year < 1950 || year > 2150 {
		return "", false
	}
	d, err := connector.ParseDate(fmt.Sprintf("%04d-%02d-%02d", year, month, day))
	return d, err == nil
}

// dateFormats are the formats that a value may have, in order of trial.
type dateFormats struct {
	formats []dateFormat
	sheet   bool // the value stands in a workbook: a number is a date
	base    time.Time
}

// Excel counts days from here; a workbook of an old Macintosh from 1904.
var (
	base1900 = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	base1904 = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (f dateFormats) parse(text string) (connector.Date, *flaw) {
	s := strings.TrimSpace(strings.Trim(text, "'"))
	serial, isSerial := serialDate(s, f.base)
	for _, one := range f.formats {
		if one.serial && isSerial {
			return serial, nil
		}
		if d, ok := one.parse(s); ok && !one.serial {
			return d, nil
		}
	}
	if isSerial && f.sheet {
		return serial, nil
	}
	if isSerial {
		return "", &flaw{code: codeSerialDate, expected: string(serial)}
	}
	return "", &flaw{code: codeNotDate, expected: f.example()}
}

// example shows the first format that a person can write.
func (f dateFormats) example() string {
	for _, one := range f.formats {
		if !one.serial {
			return one.text
		}
	}
	return "dd/mm/yyyy"
}

// The serials of 1954 and of 2119; outside, a number is no date of an invoice.
const minSerial, maxSerial = 20000, 80000

// serialDate reads 45717 or 45717.5 as the days since base.
func serialDate(s string, base time.Time) (connector.Date, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	days, err := strconv.Atoi(whole)
	if err != nil || len(whole) != 5 || strings.Trim(fraction, "0123456789") != "" {
		return "", false
	}
	if base.IsZero() {
		base = base1900
	}
	if days < minSerial || days > maxSerial {
		return "", false
	}
	return connector.DateOf(base.AddDate(0, 0, days)), true
}
