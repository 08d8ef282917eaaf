package results

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
)

// fewBytes are kept in the ledger; more are a blob.
const fewBytes = 8 << 10

// render writes a file of ours into memory or, when it grows, into the blob store.
func (p *Publisher) render(ctx context.Context, pub ledger.Publication, f ledger.File) (ledger.Rendered, error) {
	k := &keeper{ctx: ctx, blobs: p.blobs}
	sha, err := k.end(p.write(ctx, pub, f, k))
	if err != nil {
		return ledger.Rendered{}, err
	}
	return ledger.Rendered{ID: pub.ID, SHA256: sha, Body: k.few}, nil
}

// keeper keeps what is written to it.
type keeper struct {
	ctx   context.Context
	blobs Blobs
	few   []byte
	many  *bufio.Writer // nil while there are few
	pipe  *io.PipeWriter
	done  chan struct{}
	blob  durable.Blob
	err   error // of the blob store
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.many == nil && len(k.few)+len(b) <= fewBytes {
		k.few = append(k.few, b...)
		return len(b), nil
	}
	if k.many == nil {
		k.spill()
	}
	return k.many.Write(b)
}

// spill goes on in the blob store. A store that gives up early ends the pipe.
func (k *keeper) spill() {
	r, w := io.Pipe()
	k.pipe, k.done, k.many = w, make(chan struct{}), bufio.NewWriterSize(w, 64<<10)
	go func() {
		defer close(k.done)
		k.blob, k.err = k.blobs.Put(k.ctx, r)
		r.CloseWithError(k.err)
	}()
	_, _ = k.many.Write(k.few) // its error is sticky
	k.few = nil
}

// end gives the hash of all that was written; written is the writer's own error.
func (k *keeper) end(written error) (string, error) {
	if k.many == nil {
		if k.few == nil {
			k.few = []byte{} // an empty file is one as well
		}
		sum := sha256.Sum256(k.few)
		return hex.EncodeToString(sum[:]), written
	}
	if written == nil {
		written = k.many.Flush()
	}
	k.pipe.CloseWithError(written)
	<-k.done
	return k.blob.SHA256, cmp.Or(k.err, written)
}

// write writes a file of ours; f is the export that it is about, if it is about one.
func (p *Publisher) write(ctx context.Context, pub ledger.Publication, f ledger.File, w io.Writer) error {
	t := newRows(w, p.cfg.Of(pub.Place), pub)
	var err error
	switch pub.Kind {
	case ledger.KindAck:
		err = p.writeAck(ctx, pub, f, t)
	case ledger.KindStatus:
		err = p.writeStatus(ctx, pub, t)
	case ledger.KindSummary:
		err = p.writeSummary(ctx, pub, f, t)
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

func (p *Publisher) writeAck(ctx context.Context, pub ledger.Publication, file ledger.File, t rows) error {
	columns := choose(ackColumns(), p.cfg.Of(pub.Place).AckColumns)
	t.row(names(columns)...)
	for line, err := range p.ledger.AckLines(ctx, pub, file) {
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

func (p *Publisher) writeSummary(ctx context.Context, pub ledger.Publication, file ledger.File, t rows) error {
	s := summary{file: file, lang: p.lang, zone: p.zone}
	var err error
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
