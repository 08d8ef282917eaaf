package results

import (
	"context"
	"fmt"
	"io"

	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// render streams a file of ours into the blob store and returns its hash.
func (p *Publisher) render(ctx context.Context, pub ledger.Publication) (string, error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(p.write(ctx, pub, w))
	}()
	blob, err := p.blobs.Put(ctx, r)
	// A store that gave up early leaves the writer blocked in the pipe.
	r.Close()
	<-done
	return blob.SHA256, err
}

func (p *Publisher) write(ctx context.Context, pub ledger.Publication, w io.Writer) error {
	t := newRows(w, p.cfg.Of(pub.Place), pub)
	var err error
	switch pub.Kind {
	case ledger.KindAck:
		err = p.writeAck(ctx, pub, t)
	case ledger.KindStatus:
		err = p.writeStatus(ctx, pub, t)
	case ledger.KindSummary:
		err = p.writeSummary(ctx, pub, t)
	case ledger.KindUnready:
		err = p.writeUnready(ctx, pub, t)
	default:
		err = fmt.Errorf("a file of kind %q has to come rendered", pub.Kind)
	}
	if err != nil {
		return err
	}
	return t.flush()
}

func (p *Publisher) writeAck(ctx context.Context, pub ledger.Publication, t rows) error {
	file, err := p.ledger.FileByID(ctx, pub.FileID)
	if err != nil {
		return err
	}
	columns := choose(ackColumns(), p.cfg.Of(pub.Place).AckColumns)
	t.row(names(columns)...)
	for line, err := range p.ledger.AckLines(ctx, pub) {
		if err != nil {
			return err
		}
		if err := t.row(values(columns, ack{line, file.Name, p.lang})...); err != nil {
			return err
		}
	}
	return nil
}

// writeUnready says in the one line of an acknowledgement why a file is not taken.
func (p *Publisher) writeUnready(ctx context.Context, pub ledger.Publication, t rows) error {
	file, why, err := p.ledger.UnreadyOf(ctx, pub)
	if err != nil {
		return err
	}
	line := ledger.AckLine{Seq: pub.SeqFrom, Problem: why}
	line.Invoice.Verdict = ledger.VerdictWaiting // it needs time or another program
	if why.Severity == problem.Hold {
		line.Invoice.Verdict = ledger.VerdictHeld // somebody has to act
	}
	columns := choose(ackColumns(), p.cfg.Of(pub.Place).AckColumns)
	t.row(names(columns)...)
	return t.row(values(columns, ack{line, file, p.lang})...)
}

func (p *Publisher) writeStatus(ctx context.Context, pub ledger.Publication, t rows) error {
	columns := choose(statusColumns(), p.cfg.Of(pub.Place).StatusColumns)
	t.row(names(columns)...)
	for e, err := range p.ledger.EventsOf(ctx, pub) {
		if err != nil {
			return err
		}
		if err := t.row(values(columns, event{e, p.lang, p.zone})...); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) writeSummary(ctx context.Context, pub ledger.Publication, t rows) error {
	s := summary{lang: p.lang, zone: p.zone}
	var err error
	if s.file, err = p.ledger.FileByID(ctx, pub.FileID); err != nil {
		return err
	}
	if s.sum, err = p.ledger.SummaryOf(ctx, pub.FileID); err != nil {
		return err
	}
	if s.file.FirstFile != 0 {
		first, err := p.ledger.FileByID(ctx, s.file.FirstFile)
		if err != nil {
			return err
		}
		s.first = first.Name
	}
	return s.write(t, p.cfg.Of(pub.Place))
}
