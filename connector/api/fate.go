package api

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
)

// Fate says what an answer, or the lack of one, means.
type Fate string

// The fates of an answer.
const (
	Sent    Fate = "sent"      // taken in charge; Remote.ID is known
	Refused Fate = "refused"   // the document is refused
	Exists  Fate = "exists"    // the platform has it already: look it up and adopt it
	Stopped Fate = "stopped"   // nothing of Scope can go until a person mends something
	Later   Fate = "later"     // surely not processed: try again
	Unsure  Fate = "uncertain" // may have been processed: look it up, never send again blindly
)

// Scope says how much a Stopped or Later answer is about.
type Scope string

// The scopes of an answer.
const (
	ScopeInvoice    Scope = "invoice"
	ScopeCompany    Scope = "company"
	ScopeCredential Scope = "credential" // everything that goes under one token
)

// Answer is what became of one Submit.
type Answer struct {
	Fate  Fate
	Scope Scope
	// Doubt is set with Stopped when somebody on the way answered, with a page,
	// after the request was written: a filter may have let the invoice pass and
	// kept the answer back. It is looked up before it goes again.
	Doubt      bool
	Remote     connector.Remote  // for Sent; for Exists only the id, if the platform said it
	HTTP       int               // status, 0 when there was no answer
	Problems   []problem.Problem // why, for every fate but Sent
	RetryAfter time.Duration     // as the platform asks, 0 when it does not
	Note       string            // one English line for the trace, without secrets
}

// ErrNotFound is wrapped by the error of a read of something unknown to the platform.
var ErrNotFound = errors.New("not found")

// ErrTruncated is the last error of a list that Query.MaxPages cut short: what
// came is right, but absence from it proves nothing.
var ErrTruncated = errors.New("list cut short")

// ErrPaging is wrapped when the platform repeats a page instead of going on:
// absence from such a list proves nothing either.
var ErrPaging = errors.New("platform repeats a page")

// Error is a call that did not succeed. A read has no Unsure: it is Later.
type Error struct {
	Op      string // "get invoice"
	Fate    Fate
	Scope   Scope
	HTTP    int    // status, 0 when there was no answer
	Code    string // the platform's own code, "111", "125.22"; often ""
	Message string // the platform's own text
	Problem problem.Problem
	// RetryAfter is how long the platform asks to be left alone, 0 when it does not.
	RetryAfter time.Duration
	cause      error
}

// RetryAfter is how long the platform asks to be left alone in an error of Get or
// List, 0 when it does not.
func RetryAfter(err error) time.Duration {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.RetryAfter
	}
	return 0
}

// Error reads `get invoice: HTTP 404, error 111: Fiscal ID not found`.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	if e.HTTP != 0 {
		fmt.Fprintf(&b, "HTTP %d", e.HTTP)
		if e.Code != "" {
			b.WriteString(", error " + e.Code)
		}
		if e.Message != "" {
			b.WriteString(": " + e.Message)
		}
		return b.String()
	}
	if e.cause != nil {
		b.WriteString(e.cause.Error())
		return b.String()
	}
	return b.String() + e.Problem.Message(problem.English)
}

// Unwrap gives the cause: a transport error or ErrNotFound.
func (e *Error) Unwrap() error { return e.cause }
