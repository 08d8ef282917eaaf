package doctor

import (
	"errors"
	"io/fs"

	"einvoice/connector/api"
	"einvoice/connector/problem"
	"einvoice/connector/setting"
)

// in is a verdict as people of a language read it.
func (v verdict) in(lang problem.Lang, c check, subject string) Finding {
	return Finding{
		Check: c.name, Title: c.title().In(string(lang)), Subject: subject, Grade: v.grade,
		Seen: v.seen.In(string(lang)), Remedy: v.remedy.In(string(lang)),
	}
}

func (c check) title() setting.Phrase { return setting.Phrase{English: c.name, French: c.french} }

// as is what reads the same in every language: a command, a path, a number.
func as(text string) setting.Phrase { return setting.Phrase{English: text, French: text} }

// see sends people to another check, by the name that they see.
func see(name string) setting.Phrase {
	for _, c := range checks() {
		if c.name == name {
			return setting.Say("see %v", c.title())
		}
	}
	return setting.Say("see %v", as(name))
}

// told is an error in the words of the catalogue, where it has them.
func told(err error) (seen, remedy setting.Phrase) {
	var apiErr *api.Error
	if errors.As(err, &apiErr) && apiErr.Problem.Code != "" {
		return listed(apiErr.Problem)
	}
	var p problem.Problem
	if errors.As(err, &p) {
		return listed(p)
	}
	return caused(err), setting.Phrase{}
}

func listed(p problem.Problem) (seen, remedy setting.Phrase) {
	return setting.Phrase{English: p.Message(problem.English), French: p.Message(problem.French)},
		setting.Phrase{English: p.Remedy(problem.English), French: p.Remedy(problem.French)}
}

// caused is an error of the system: its commonest causes have words, the others
// are quoted, as only they tell a technician what to look for.
func caused(err error) setting.Phrase {
	p, ok := errors.AsType[*fs.PathError](err)
	switch {
	case ok && errors.Is(p, fs.ErrNotExist):
		return setting.Say("%s is not there", p.Path)
	case ok && errors.Is(p, fs.ErrPermission):
		return setting.Say("%s: this account has no right to it", p.Path)
	}
	return setting.Say("the system says: %v", err)
}
