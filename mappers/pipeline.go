package mappers

import (
	"context"
	"io"
	"runtime"
	"sync"
)

// Bounds of what is on its way between reading and binding: batches, documents
// in one, and the bytes beyond which a batch travels alone.
const (
	batchDocuments = 64
	batchBytes     = 128 << 10
	aloneBytes     = 1 << 20
	batchesAhead   = 4
	maxBinders     = 4
)

// batch is some documents that follow each other, and what came of them.
type batch struct {
	documents []document
	results   []Result
	slabs     []rowSlab // that were filled with the documents' rows
	bytes     int
	end       error         // why there is nothing behind; nil: there may be
	bound     chan struct{} // closed when results are there
	taken     chan struct{} // closed when they were taken
	panicked  any           // what binding panicked with
}

// readBatch reads until a batch is full, or there is nothing more to read. What
// was taken, if it is there, is used again.
func readBatch(ctx context.Context, s source, free <-chan *batch) (b *batch) {
	b = &batch{bound: make(chan struct{}), taken: make(chan struct{})}
	rows, recycles := s.(recycler)
	select {
	case old := <-free:
		b.documents, b.results = old.documents[:0], old.results
		if recycles {
			rows.reuse(old.slabs)
		}
	default:
		b.documents, b.results = make([]document, 0, batchDocuments), make([]Result, batchDocuments)
	}
	defer func() {
		if p := recover(); p != nil {
			b.panicked, b.end = p, io.EOF
		}
	}()
	for len(b.documents) < batchDocuments && b.bytes < batchBytes {
		if b.end = ctx.Err(); b.end != nil {
			return b
		}
		d, err := s.next()
		if err != nil {
			b.end = err
			return b
		}
		b.documents = append(b.documents, d)
		b.bytes += d.bytes
	}
	if recycles {
		b.slabs = rows.filled()
	}
	return b
}

// bindAll binds every document of an export and gives the results in the order
// of the file. Where documents do not depend on each other, one goroutine reads
// ahead and others bind, none of which outlives this call; a small export is not
// worth it.
func (m *Mapping) bindAll(ctx context.Context, in *opened, e Export, take func(*Result) error) error {
	if !in.apart || m.readsBeside() {
		return bindInTurn(ctx, m.binderOf(in, e), readOne(in.source), in.source, take)
	}
	free := make(chan *batch, batchesAhead)
	first := readBatch(ctx, in.source, free)
	if first.end != nil {
		return bindInTurn(ctx, m.binderOf(in, e), first, in.source, take)
	}
	inner, cancel := context.WithCancel(ctx)
	ordered, jobs := make(chan *batch, batchesAhead), make(chan *batch, batchesAhead)
	var all sync.WaitGroup
	all.Go(func() { readAhead(inner, first, in.source, free, ordered, jobs) })
	for range min(max(runtime.GOMAXPROCS(0), 1), maxBinders) {
		b := m.binderOf(in, e)
		all.Go(func() {
			for one := range jobs {
				b.bindBatch(one)
			}
		})
	}
	defer all.Wait()
	defer cancel()
	return takeOrdered(ctx, ordered, free, take)
}

func (m *Mapping) binderOf(in *opened, e Export) *binder {
	b := newBinder(m, in)
	b.export = e
	return b
}

// readsBeside tells whether binding reads other files, which is not done by
// several goroutines at once.
func (m *Mapping) readsBeside() bool {
	for _, a := range m.attached {
		if a.file != "" {
			return true
		}
	}
	return false
}

func bindInTurn(ctx context.Context, b *binder, one *batch, s source, take func(*Result) error) error {
	for {
		if one.panicked != nil {
			panic(one.panicked)
		}
		for _, d := range one.documents {
			if err := ctx.Err(); err != nil {
				return err
			}
			res := b.bind(d)
			if err := take(&res); err != nil {
				return err
			}
		}
		switch one.end {
		case nil:
			one = readOne(s)
		case io.EOF:
			return nil
		default:
			return one.end
		}
	}
}

// readOne reads a document and no further: what it stands in may change.
func readOne(s source) *batch {
	d, err := s.next()
	if err != nil {
		return &batch{end: err}
	}
	return &batch{documents: []document{d}}
}

// readAhead sends every batch to those that bind and, in order, to the one that
// takes. One that is very large goes when all before it are gone.
func readAhead(ctx context.Context, one *batch, s source, free <-chan *batch, ordered, jobs chan<- *batch) {
	defer close(ordered)
	defer close(jobs)
	for {
		select {
		case ordered <- one:
		case <-ctx.Done():
			return
		}
		select {
		case jobs <- one:
		case <-ctx.Done():
			return
		}
		if one.end != nil {
			return
		}
		if one.bytes > aloneBytes {
			select {
			case <-one.taken:
			case <-ctx.Done():
				return
			}
		}
		one = readBatch(ctx, s, free)
	}
}

func (b *binder) bindBatch(one *batch) {
	defer close(one.bound)
	defer func() {
		if p := recover(); p != nil {
			one.panicked = p // for the goroutine that reads the export
		}
	}()
	for i, d := range one.documents {
		b.bindInto(d, &one.results[i])
	}
}

func takeOrdered(ctx context.Context, ordered <-chan *batch, free chan<- *batch, take func(*Result) error) error {
	for one := range ordered {
		select {
		case <-one.bound:
		case <-ctx.Done():
			return ctx.Err()
		}
		if one.panicked != nil {
			panic(one.panicked)
		}
		for i := range one.documents {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := take(&one.results[i]); err != nil {
				return err
			}
		}
		close(one.taken)
		select {
		case free <- one:
		default:
		}
		if one.end != nil && one.end != io.EOF {
			return one.end
		}
	}
	return ctx.Err()
}
