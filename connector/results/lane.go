package results

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
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
	l.p.renderAll(ctx, pubs)
	// The order is that of the files; that they arrived is recorded while the next
	// ones go, so that many share a commit. A crash in between repeats some of them.
	var marks errgroup.Group
	marks.SetLimit(together)
	defer func() {
		if marked := marks.Wait(); marked != nil && ctx.Err() == nil {
			l.fail(marked)
			err = errors.Join(err, marked)
		}
	}()
	for i, pub := range pubs {
		own, place := l.p.deliver(ctx, pub)
		if ctx.Err() != nil && errors.Join(own, place) != nil {
			return published, ctx.Err()
		}
		if own == nil && errors.Is(place, errNotTaken) {
			l.until = l.p.now().Add(backoffFirst)
			return published, l.postpone(ctx, pubs[i:])
		}
		if err := errors.Join(own, place); err != nil {
			l.fail(err)
			return published, errors.Join(own, l.postpone(ctx, pubs[i:]))
		}
		marks.Go(func() error { return l.p.mark(ctx, pub) })
		published++
		l.recovered()
	}
	return published, nil
}

// together is how many files are rendered, or recorded as published, at once:
// each waits for the disk.
const together = 8

// renderAll renders what is not rendered yet. What fails here is tried again, and
// told, when it is the file's turn.
func (p *Publisher) renderAll(ctx context.Context, pubs []ledger.Publication) {
	var all errgroup.Group
	all.SetLimit(together)
	for i := range pubs {
		if pubs[i].SHA256 != "" {
			continue
		}
		all.Go(func() error {
			if sha, err := p.fix(ctx, pubs[i]); err == nil {
				pubs[i].SHA256 = sha
			}
			return nil
		})
	}
	_ = all.Wait()
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

// fix renders a file and settles for good what its bytes are.
func (p *Publisher) fix(ctx context.Context, pub ledger.Publication) (sha string, err error) {
	if sha, err = p.render(ctx, pub); err != nil {
		return "", fmt.Errorf("render %s: %w", pub.Name, err)
	}
	if err := fault.Hit(fault.AnswerRendered); err != nil {
		return "", err
	}
	if err := p.ledger.FixPublication(ctx, pub.ID, sha); err != nil {
		return "", err
	}
	return sha, fault.Hit(fault.AnswerFixed)
}

// mark records that a file arrived.
func (p *Publisher) mark(ctx context.Context, pub ledger.Publication) error {
	if err := p.ledger.MarkPublished(ctx, pub.ID); err != nil {
		return err
	}
	return fault.Hit(fault.AnswerMarked)
}

// deliver brings one file to its folder, rendered and fixed first. own is an
// error of our ledger or disk, away one of the place.
func (p *Publisher) deliver(ctx context.Context, pub ledger.Publication) (own, away error) {
	if pub.SHA256 == "" {
		sha, err := p.fix(ctx, pub)
		if err != nil {
			return err, nil
		}
		pub.SHA256 = sha
	}
	f, err := p.blobs.Open(pub.SHA256)
	if err != nil {
		return fmt.Errorf("open rendered %s: %w", pub.Name, err), nil
	}
	defer f.Close()
	place, err := p.place(pub.Place, pub.Folder)
	if err != nil {
		return nil, err
	}
	if err := p.put(ctx, place, pub, f); err != nil {
		return nil, err
	}
	return fault.Hit(fault.AnswerPut), nil
}

// put writes the file and then, as a promise that it is whole, its .ok.
func (p *Publisher) put(ctx context.Context, place drop.Place, pub ledger.Publication, content io.Reader) error {
	cfg := p.cfg.Of(pub.Place)
	name := cfg.nameOf(pub)
	if name != pub.Name {
		if there, err := taken(ctx, place, name, pub.SHA256); err != nil {
			return fmt.Errorf("look for %s in %s: %w", name, place, err)
		} else if there {
			content = nil // ours: an earlier run did not come to say so
		}
	}
	if content != nil {
		if err := publish(ctx, place, name, content); err != nil {
			return fmt.Errorf("publish %s in %s: %w", name, place, err)
		}
	}
	if !cfg.OKFile || pub.Folder != ledger.FolderResults {
		return nil
	}
	ok := strings.NewReader(pub.SHA256 + "  " + name + "\r\n")
	if err := publish(ctx, place, OKName(name), ok); err != nil {
		return fmt.Errorf("publish %s in %s: %w", OKName(name), place, err)
	}
	return nil
}

// nameOf is the name under which a place gets a publication: its own, unless the
// ERP reads one name only.
func (c Config) nameOf(pub ledger.Publication) string {
	switch {
	case pub.Kind == ledger.KindStatus && c.StatusName != "":
		return c.StatusName
	case pub.Kind == ledger.KindAck && c.AckName != "", pub.Kind == ledger.KindUnready && c.AckName != "":
		return c.AckName
	}
	return pub.Name
}

// errNotTaken says that the reader has not taken the file before this one yet.
var errNotTaken = errors.New("the file before it was not taken yet")

// taken looks whether a name is free: it is not while the reader has not taken
// the last file. same tells that this very content is there.
func taken(ctx context.Context, place drop.Place, name, sha string) (same bool, err error) {
	r, err := place.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, drop.ErrBusy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	if hex.EncodeToString(h.Sum(nil)) != sha {
		return false, errNotTaken
	}
	return true, nil
}

// publish gives up on a place that accepts nothing for a while: a dead SFTP
// connection would otherwise hold up the whole round.
func publish(ctx context.Context, place drop.Place, name string, content io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	err := place.Publish(ctx, name, progress{content, watchdog})
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// progress puts off the watchdog with each read.
type progress struct {
	r        io.Reader
	watchdog *time.Timer
}

func (p progress) Read(b []byte) (int, error) {
	p.watchdog.Reset(stall)
	return p.r.Read(b)
}
