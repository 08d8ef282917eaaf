package results

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// column is one named column of a file whose lines are made of T. Names are
// part of the interface with the ERP: they never change and are not translated.
type column[T any] struct {
	name  string
	value func(T) string
}

func names[T any](cs []column[T]) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.name
	}
	return out
}

func values[T any](cs []column[T], line T) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.value(line)
	}
	return out
}

// choose picks columns in the order of their names; none means all.
func choose[T any](all []column[T], chosen []string) []column[T] {
	if len(chosen) == 0 {
		return all
	}
	var out []column[T]
	for _, name := range chosen {
		if i := slices.IndexFunc(all, func(c column[T]) bool { return c.name == name }); i >= 0 {
			out = append(out, all[i])
		}
	}
	return out
}

// ack is what a line of an acknowledgement is made of.
type ack struct {
	ledger.AckLine
	file string // name of the export
	lang problem.Lang
}

func ackColumns() []column[ack] {
	return []column[ack]{
		{"seq", func(a ack) string { return number(a.Seq) }},
		{"source_file", func(a ack) string { return a.source() }},
		{"source_row", func(a ack) string { return number(int64(a.row())) }},
		{"erp_key", func(a ack) string { return a.Invoice.ERPKey }},
		{"document_number", func(a ack) string { return cmp.Or(a.Invoice.Key.Number, a.Problem.Invoice) }},
		{"verdict", func(a ack) string { return string(a.verdict()) }},
		{"code", func(a ack) string { return a.Problem.Code }},
		{"field", func(a ack) string { return a.Problem.Field }},
		{"column", func(a ack) string { return cmp.Or(a.Problem.Position.Column, a.Problem.Position.Path) }},
		{"value", func(a ack) string { return a.Problem.Value }},
		{"message", func(a ack) string { return a.message() }},
		{"what_to_do", func(a ack) string { return remedy(a.Problem, a.lang) }},
		{"first_file", func(a ack) string { return a.FirstFile }},
		{"api_id", func(a ack) string { return a.FirstAPI }}, // of the first one: our own is not known yet
	}
}

// stopping tells that the line's problem, rather than the whole invoice, is what
// the reader must find in the export.
func (a ack) stopping() bool {
	return a.Problem.Severity == problem.Refuse && a.Problem.Position.Row > 0
}

func (a ack) source() string {
	if a.stopping() {
		return cmp.Or(a.Problem.Position.File, a.file)
	}
	return a.file
}

// row is the row of the value that refuses the invoice, where known, else the
// invoice's first row.
func (a ack) row() int {
	if a.stopping() {
		return a.Problem.Position.Row
	}
	return a.Invoice.Row
}

// verdict of a file as a whole is REFUSED, unless its problem is a warning only.
func (a ack) verdict() ledger.Verdict {
	if a.Invoice.ID == 0 && a.Invoice.Verdict == "" && a.Problem.Severity != problem.Warn {
		return ledger.VerdictRefused
	}
	return a.Invoice.Verdict
}

func (a ack) message() string {
	switch {
	case a.Problem.Code == "":
		return verdictWords(a.Invoice.Verdict).in(a.lang)
	case a.Problem.Severity == problem.Warn && (a.Invoice.Verdict == ledger.VerdictQueued || a.Invoice.Verdict == ledger.VerdictWaiting):
		return strings.Join(a.warnings(), " / ")
	}
	return a.Problem.Message(a.lang)
}

// warningsMost bounds what a cell says of an invoice that goes nevertheless.
const warningsMost = 10

// warnings are all that is to be said of an invoice that goes: no other file tells
// that a value is not carried. What lines have in common is said of the first.
func (a ack) warnings() []string {
	said := map[string]bool{}
	var all []string
	for _, p := range append([]problem.Problem{a.Problem}, a.Invoice.Problems...) {
		if kind := p.Code + lineNumber.ReplaceAllString(p.Field, "[]"); !said[kind] && len(all) < warningsMost {
			said[kind] = true
			all = append(all, p.Message(a.lang))
		}
	}
	return all
}

var lineNumber = regexp.MustCompile(`\[\d+\]`)

// remedy is a problem's remedy, "" where there is no problem.
func remedy(p problem.Problem, lang problem.Lang) string {
	if p.Code == "" {
		return ""
	}
	return p.Remedy(lang)
}

// event is what a line of a status file is made of.
type event struct {
	ledger.Event
	lang problem.Lang
	zone *time.Location
}

func statusColumns() []column[event] {
	return []column[event]{
		{"seq", func(e event) string { return number(e.Seq) }},
		{"company", func(e event) string { return e.Company }},
		{"document_number", func(e event) string { return e.Number }},
		{"erp_key", func(e event) string { return e.ERPKey }},
		{"api_id", func(e event) string { return e.APIID }},
		{"event", func(e event) string { return string(e.Kind) }},
		{"state", func(e event) string { return string(e.Status.State) }},
		{"external_status", func(e event) string { return e.Status.External }},
		{"status_code", func(e event) string { return number(int64(e.Status.Code)) }},
		{"label", func(e event) string { return e.label() }},
		{"reason_code", func(e event) string { return cmp.Or(e.Status.ReasonCode, e.Problem.Code) }},
		{"reason", func(e event) string { return e.reason() }},
		{"what_to_do", func(e event) string { return e.whatToDo() }},
		{"occurred_at", func(e event) string { return stamp(e.OccurredAt, e.zone) }},
		{"source_file", func(e event) string { return e.SourceFile }},
		{"source_row", func(e event) string { return number(int64(e.SourceRow)) }},
	}
}

// silent tells that the platform said nothing with this event.
func (e event) silent() bool { return e.Status.Same(connector.Status{}) }

func (e event) label() string {
	if e.silent() {
		return eventWords(e.Kind).in(e.lang)
	}
	return Label(e.Status, e.lang)
}

func (e event) reason() string {
	if e.Status.Reason != "" || e.Problem.Code == "" {
		return e.Status.Reason
	}
	return e.Problem.Message(e.lang)
}

func (e event) whatToDo() string {
	var status string
	if !e.silent() {
		status = WhatToDo(e.Status, e.lang)
	}
	return cmp.Or(remedy(e.Problem, e.lang), status, eventRemedy(e.Kind).in(e.lang))
}

// number writes 0, which stands for "unknown" in every column, as nothing.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// stamp is RFC 3339 with the offset of the zone, to the second.
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.RFC3339)
}
