package problem

// Entry is one kind of problem. Texts may hold {value}, {expected}, {field},
// {invoice}, {file}, {sheet}, {row}, {column}, {path}, {rule}, {bt} and the
// keys of Problem.Args.
//
// Codes are never used again for something else: E1xxx a file, E2xxx mapping,
// E3xxx a rule, E4xxx the platform, E5xxx transport and sending. A code keeps
// its number when its severity is changed by a setting.
type Entry struct {
	Code              string
	MessageFR, WhatFR string // what is wrong; what to do
	MessageEN, WhatEN string
}

// Catalogue lists every kind of problem, by code.
func Catalogue() []Entry {
	var all []Entry
	for _, part := range [][]Entry{fileEntries, mappingEntries, ruleEntries, platformEntries, sendingEntries, receivedEntries} {
		all = append(all, part...)
	}
	return all
}

func (e Entry) message(lang Lang) string {
	if lang == French {
		return e.MessageFR
	}
	return e.MessageEN
}

func (e Entry) remedy(lang Lang) string {
	if lang == French {
		return e.WhatFR
	}
	return e.WhatEN
}

// entryOf finds a code's entry; an unknown code shows itself rather than nothing.
func entryOf(code string) Entry {
	for _, part := range [][]Entry{fileEntries, mappingEntries, ruleEntries, platformEntries, sendingEntries, receivedEntries} {
		for _, e := range part {
			if e.Code == code {
				return e
			}
		}
	}
	return Entry{Code: code, MessageFR: code, MessageEN: code}
}
