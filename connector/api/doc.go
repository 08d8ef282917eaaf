// Package api speaks the E-Invoicing API France: it sends invoices, reads them
// back, lists them, registers companies and reads callback bodies.
//
// Every answer, and every failure to get one, has a fate decided here, where it
// is known which bytes were written: the caller never guesses. What the wire
// carries of an invoice is written down in FIELDS.md.
package api
