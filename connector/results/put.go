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

	"einvoice/connector/drop"
	"einvoice/connector/ledger"
)

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
	if err := publish(ctx, place, okName(name), ok); err != nil {
		return fmt.Errorf("publish %s in %s: %w", okName(name), place, err)
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

// publish publishes one file.
func publish(ctx context.Context, place drop.Place, name string, content io.Reader) error {
	return unstalled(ctx, func(ctx context.Context, w *time.Timer) error {
		return place.Publish(ctx, name, progress{content, w})
	})
}

// unstalled gives up on a place that accepts nothing for a while: a dead SFTP
// connection would otherwise hold up the whole round.
func unstalled(ctx context.Context, publish func(context.Context, *time.Timer) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watchdog.Stop()
	err := publish(ctx, watchdog)
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
