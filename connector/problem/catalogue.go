package problem

import (
	"slices"
	"strings"
	"sync"
)

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
	all := slices.Concat(fileEntries, mappingEntries, ruleEntries, platformEntries, sendingEntries, outboxEntries, safetyEntries, receivedEntries)
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// byCode is the catalogue by code, made at its first use and only read after.
var byCode = sync.OnceValue(func() map[string]Entry {
	index := map[string]Entry{}
	for _, e := range Catalogue() {
		index[e.Code] = e
	}
	return index
})

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
	if e, ok := byCode()[code]; ok {
		return e
	}
	return Entry{Code: code, MessageFR: code, MessageEN: code}
}
