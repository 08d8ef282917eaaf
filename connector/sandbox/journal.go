package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// journal is the Data file: JSON lines, appended before an answer leaves, so
// that killing the process loses nothing that was answered. It is not synced
// to the disk: this is a sandbox. A nil journal keeps nothing.
type journal struct{ file *os.File }

// entry is one line of the journal, about one thing.
type entry struct {
	Invoice        *record         `json:"invoice,omitempty"` // new
	Cost           *number         `json:"cost,omitempty"`    // of the new invoice
	State          *record         `json:"state,omitempty"`   // its new state, without the body
	Company        *company        `json:"company,omitempty"` // new or changed
	Gone           string          `json:"gone,omitempty"`    // a company's fiscal id
	Italian        *italian        `json:"italian,omitempty"`
	ItalianInvoice *italianInvoice `json:"italian_invoice,omitempty"`
	Listed         *Entry          `json:"listed,omitempty"`    // new or changed in the directory
	Token          *token          `json:"token,omitempty"`     // new or used
	Forgotten      string          `json:"forgotten,omitempty"` // a token
	Recharged      *number         `json:"recharged,omitempty"` // the wallet, by that much
	Switches       json.RawMessage `json:"switches,omitempty"`  // those that changed
	Tried          *keptTry        `json:"tried,omitempty"`     // a callback
}

// keptTry is a Try with what only the platform's log shows of it.
type keptTry struct {
	Try
	Custom  json.RawMessage   `json:"custom,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Method  string            `json:"method,omitempty"`
	Field   string            `json:"field,omitempty"`
	Retry   int               `json:"retry,omitempty"`
}

func (t Try) kept() *keptTry { return &keptTry{t, t.custom, t.headers, t.method, t.field, t.retry} }

func (k keptTry) try() Try {
	t := k.Try
	t.custom, t.headers, t.method, t.field, t.retry = k.Custom, k.Headers, k.Method, k.Field, k.Retry
	return t
}

func (j *journal) append(e entry) error {
	if j == nil {
		return nil
	}
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("append to sandbox data: %w", err)
	}
	if _, err := j.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("append to sandbox data: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

// restore replays the Data file and goes on with the lives it finds.
func (s *Sandbox) restore(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	good, err := s.replay(file)
	if err == nil {
		// A torn last line is what a kill in the middle of a write leaves.
		err = file.Truncate(good)
	}
	if err == nil {
		_, err = file.Seek(good, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.journal = &journal{file}
	for _, r := range s.store.all {
		s.schedule(r)
	}
	return nil
}

// replay returns how many bytes were whole.
func (s *Sandbox) replay(file io.Reader) (good int64, err error) {
	lines := bufio.NewReaderSize(file, 1<<16)
	for n := 1; ; n++ {
		b, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return good, nil
		}
		if err != nil {
			return good, err
		}
		var e entry
		if err := json.Unmarshal(bytes.TrimSpace(b), &e); err != nil {
			return good, fmt.Errorf("line %d: %w", n, err)
		}
		if err := s.redo(e); err != nil {
			return good, fmt.Errorf("line %d: %w", n, err)
		}
		good += int64(len(b))
	}
}

func (s *Sandbox) redo(e entry) error {
	switch {
	case e.Invoice != nil:
		s.keep(e.Invoice)
	case e.State != nil:
		if r := s.store.byID[e.State.ID]; r != nil {
			e.State.Raw = r.Raw
			*r = *e.State
		}
	case e.Company != nil:
		s.store.register(e.Company)
	case e.Italian != nil:
		s.italians[e.Italian.FiscalID] = e.Italian
	case e.ItalianInvoice != nil:
		s.italianInvoices = append(s.italianInvoices, e.ItalianInvoice)
	case e.Listed != nil:
		s.setEntry(*e.Listed)
	case e.Gone != "":
		s.store.forget(e.Gone)
	case e.Token != nil:
		s.tokens[e.Token.Token] = e.Token
	case e.Forgotten != "":
		delete(s.tokens, e.Forgotten)
	case e.Switches != nil:
		next := *s.switches.Load()
		if err := json.Unmarshal(e.Switches, &next); err != nil {
			return err
		}
		return s.Switch(next)
	case e.Tried != nil:
		s.books.tried(e.Tried.try())
	}
	return s.account.book(e.Recharged.or0(), e.Cost.or0())
}

// keep adds an invoice to the store and to the books.
func (s *Sandbox) keep(r *record) {
	s.store.add(r)
	if !r.Incoming {
		d := s.books.document(r.key())
		d.IDs = append(d.IDs, r.ID)
		d.Posts = max(d.Posts, len(d.IDs))
	}
}

// remember writes to the journal; a failure is told, the sandbox goes on.
func (s *Sandbox) remember(e entry) {
	if err := s.journal.append(e); err != nil {
		s.opt.Log("sandbox: %v", err)
	}
}
