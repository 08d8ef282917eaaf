// Package connector holds the words that every other package speaks: an
// invoice and its parts, the states of its life, exact amounts and dates, the
// totals derived from lines, and the fiscal fingerprint that tells whether two
// invoices are the same one.
//
// It does no I/O, reads no clock and imports none of its sub-packages.
package connector
