package results

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"einvoice/connector/drop"
	"einvoice/connector/fault"
	"einvoice/connector/ledger"
)

// The pause after a failure doubles from backoffFirst to backoffMost.
const (
	backoffFirst = 2 * time.Second
	backoffMost  = 15 * time.Minute
)

// stall is how long a place may accept no byte before its try is given up.
const stall = time.Minute

var errStalled = errors.New("no progress for " + stall.String())

// laneID is one folder of one place. Its files go in the order they were made:
// "ignore seq <= last" would lose lines if a later file overtook an earlier one.
type laneID struct {
	place  string
	folder ledger.Folder
}

// lane is the way of files into one folder.
type lane struct {
	p        *Publisher
	id       laneID
	until    time.Time
	failures int
	since    time.Time
	err      error
}

// deliver publishes the lane's files in order. The first that fails puts off
// all after it to the same moment.
func (l *lane) deliver(ctx context.Context, pubs []ledger.Publication) (published int, err error) {
	if l.p.now().Before(l.until) {
		return 0, l.postpone(ctx, pubs)
	}
	bodies := l.p.renderAll(ctx, pubs)
	for len(pubs) > 0 {
		group := pubs[:min(len(pubs), together)]
		n, own, away := l.p.deliver(ctx, l.id, group, bodies)
		if n > 0 {
			// They are there, whatever the stop: to say so spares the next start from
			// publishing them again.
			if err := l.p.mark(context.WithoutCancel(ctx), group[:n]); err != nil {
				l.fail(err)
				return published, err
			}
			published += n
			l.recovered()
		}
		pubs = pubs[n:]
		switch {
		case n == len(group):
		case ctx.Err() != nil:
			return published, ctx.Err()
		case own == nil && errors.Is(away, errNotTaken):
			l.until = l.p.now().Add(backoffFirst)
			return published, l.postpone(ctx, pubs)
		default:
			l.fail(errors.Join(own, away))
			return published, errors.Join(own, l.postpone(ctx, pubs))
		}
	}
	return published, nil
}

// together is how many files are published before it is recorded that they are,
// in one commit: a crash in between repeats them, under the same names and with
// the same bytes.
const together = 64

// atOnce is how many files are rendered at the same time.
const atOnce = 8

// renderAll renders what is not rendered yet, and fixes all of it in one commit.
// What fails here is tried again, and told, when it is the file's turn. It
// returns the bytes of those that have few, by publication.
func (p *Publisher) renderAll(ctx context.Context, pubs []ledger.Publication) map[int64][]byte {
	rendered := make([]ledger.Rendered, len(pubs))
	files, err := p.filesOf(ctx, pubs)
	if err != nil {
		return nil
	}
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i := range pubs {
		if pubs[i].SHA256 != "" {
			continue
		}
		all.Go(func() error {
			if r, err := p.render(ctx, pubs[i], files[pubs[i].FileID]); err == nil && fault.Hit(fault.AnswerRendered) == nil {
				rendered[i] = r
			}
			return nil
		})
	}
	_ = all.Wait()
	bodies := map[int64][]byte{}
	made := slices.DeleteFunc(slices.Clone(rendered), func(r ledger.Rendered) bool { return r.ID == 0 })
	if len(made) == 0 || p.ledger.FixPublications(ctx, made) != nil {
		return bodies
	}
	for i, r := range rendered {
		if r.ID != 0 && fault.Hit(fault.AnswerFixed) == nil {
			pubs[i].SHA256, bodies[r.ID] = r.SHA256, r.Body
		}
	}
	return bodies
}

func (l *lane) fail(err error) {
	now := l.p.now()
	pause := min(backoffFirst<<min(l.failures, 20), backoffMost)
	if l.failures == 0 {
		l.since = now
	}
	if l.err == nil || l.err.Error() != err.Error() {
		l.p.log.Warn().Err(err).Str("place", l.id.place).Str("folder", string(l.id.folder)).
			Msg("cannot publish results, will try again")
	}
	l.failures++
	l.err, l.until = err, now.Add(pause)
}

func (l *lane) recovered() {
	if l.failures == 0 {
		return
	}
	l.p.log.Info().Str("place", l.id.place).Str("folder", string(l.id.folder)).
		Dur("after", l.p.now().Sub(l.since)).Msg("results are published again")
	l.failures, l.err, l.since, l.until = 0, nil, time.Time{}, time.Time{}
}

// postpone puts files off until the lane's next try. Behind a numbered file the
// ledger itself holds back the numbered ones, over a restart too.
func (l *lane) postpone(ctx context.Context, pubs []ledger.Publication) error {
	held := false
	for _, pub := range pubs {
		if held && pub.SeqFrom > 0 {
			continue
		}
		if err := l.p.ledger.PostponePublication(ctx, pub.ID, l.until); err != nil {
			return err
		}
		held = held || pub.SeqFrom > 0
	}
	return nil
}

// filesOf reads the exports that publications yet to be rendered are about, each once.
func (p *Publisher) filesOf(ctx context.Context, pubs []ledger.Publication) (map[int64]ledger.File, error) {
	var ids []int64
	for _, pub := range pubs {
		if pub.SHA256 == "" && pub.FileID != 0 {
			ids = append(ids, pub.FileID)
		}
	}
	return p.ledger.FilesByID(ctx, ids)
}

// fix renders a file and settles for good what its bytes are.
func (p *Publisher) fix(ctx context.Context, pub ledger.Publication) (ledger.Rendered, error) {
	files, err := p.filesOf(ctx, []ledger.Publication{pub})
	if err != nil {
		return ledger.Rendered{}, err
	}
	r, err := p.render(ctx, pub, files[pub.FileID])
	if err != nil {
		return r, fmt.Errorf("render %s: %w", pub.Name, err)
	}
	if err := fault.Hit(fault.AnswerRendered); err != nil {
		return r, err
	}
	if err := p.ledger.FixPublications(ctx, []ledger.Rendered{r}); err != nil {
		return r, err
	}
	return r, fault.Hit(fault.AnswerFixed)
}

// mark records that files arrived.
func (p *Publisher) mark(ctx context.Context, pubs []ledger.Publication) error {
	ids := make([]int64, len(pubs))
	for i, pub := range pubs {
		ids[i] = pub.ID
	}
	if err := p.ledger.MarkPublished(ctx, ids...); err != nil {
		return err
	}
	for range pubs {
		if err := fault.Hit(fault.AnswerMarked); err != nil {
			return err
		}
	}
	return nil
}

// several is a place that publishes several files for the price of one.
type several interface {
	PublishAll(ctx context.Context, files []drop.File) (n int, err error)
}

// deliver brings files to their folder in their order, rendered and fixed first,
// and tells how many are there. own is an error of our ledger or disk, away one
// of the place.
func (p *Publisher) deliver(ctx context.Context, id laneID, pubs []ledger.Publication, bodies map[int64][]byte) (n int, own, away error) {
	place, err := p.place(id.place, id.folder)
	if err != nil {
		return 0, nil, err
	}
	contents := make([]io.ReadCloser, 0, len(pubs))
	defer func() {
		for _, c := range contents {
			c.Close()
		}
	}()
	for i := range pubs {
		content, err := p.content(ctx, &pubs[i], bodies)
		if err != nil {
			own = err
			break
		}
		contents = append(contents, content)
	}
	n, away = p.putAll(ctx, place, pubs[:len(contents)], contents)
	for i := range n {
		if err := fault.Hit(fault.AnswerPut); err != nil {
			return i, nil, err
		}
	}
	if away != nil {
		own = nil // it is that of a later file
	}
	return n, own, away
}

// content opens a file's bytes.
func (p *Publisher) content(ctx context.Context, pub *ledger.Publication, bodies map[int64][]byte) (io.ReadCloser, error) {
	body, known := bodies[pub.ID]
	if pub.SHA256 == "" {
		r, err := p.fix(ctx, *pub)
		if err != nil {
			return nil, err
		}
		pub.SHA256, body, known = r.SHA256, r.Body, true
	}
	if !known {
		var err error
		if body, err = p.ledger.BodyOf(ctx, pub.ID); err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return nil, err
		}
	}
	if body != nil {
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	f, err := p.blobs.Open(pub.SHA256)
	if err != nil {
		return nil, fmt.Errorf("open rendered %s: %w", pub.Name, err)
	}
	return f, nil
}

// putAll writes files in their order, all at once where the place can and each
// has a name of its own.
func (p *Publisher) putAll(ctx context.Context, place drop.Place, pubs []ledger.Publication, contents []io.ReadCloser) (n int, err error) {
	many, ok := place.(several)
	if !ok || len(pubs) == 1 || !p.plain(pubs) {
		for i, pub := range pubs {
			if err := p.put(ctx, place, pub, contents[i]); err != nil {
				return i, err
			}
		}
		return len(pubs), nil
	}
	err = unstalled(ctx, func(ctx context.Context, w *time.Timer) (err error) {
		files := make([]drop.File, len(pubs))
		for i, pub := range pubs {
			files[i] = drop.File{Name: pub.Name, Content: progress{contents[i], w}}
		}
		n, err = many.PublishAll(ctx, files)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("publish %s in %s: %w", pubs[n].Name, place, err)
	}
	return n, nil
}

// plain tells files that need nothing but to be written under their names.
func (p *Publisher) plain(pubs []ledger.Publication) bool {
	return !slices.ContainsFunc(pubs, func(pub ledger.Publication) bool {
		cfg := p.cfg.Of(pub.Place)
		return cfg.OKFile && pub.Folder == ledger.FolderResults || cfg.nameOf(pub) != pub.Name
	})
}
