package drop

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
)

// watchAgain is how often the watch is renewed: a folder that was removed and
// made again, or mounted over, is another one to the system.
const watchAgain = time.Minute

// Notify tells that something happened in a folder. It is a hint that wakes a
// scan, never the truth: shares give no events and full buffers lose them. Many
// events are one hint. The channel is closed when ctx ends and the watch is
// over. On an error the folder is served by scanning alone.
func Notify(ctx context.Context, path string, log zerolog.Logger) (hints <-chan struct{}, err error) {
	fsw, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	if err := fsw.Add(path); err != nil {
		fsw.Close()
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	out := make(chan struct{}, 1)
	n := notifier{path: path, fsw: fsw, out: out, log: log}
	go n.run(ctx)
	return out, nil
}

type notifier struct {
	path string
	fsw  *fsnotify.Watcher
	out  chan struct{}
	log  zerolog.Logger
	lost bool // the watch could not be renewed
}

func (n *notifier) run(ctx context.Context) {
	defer close(n.out)
	defer n.fsw.Close()
	renew := time.NewTicker(watchAgain)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			n.renew()
		case e, open := <-n.fsw.Events:
			if !open {
				return
			}
			if worthAScan(e) {
				n.hint()
			}
		case err, open := <-n.fsw.Errors:
			if !open {
				return
			}
			n.log.Warn().Err(err).Str("folder", n.path).Msg("events lost; the folder is scanned")
			n.hint()
		}
	}
}

// worthAScan leaves out changes of rights, and our own owner marker, whose
// refresh would otherwise wake the scan that refreshes it.
func worthAScan(e fsnotify.Event) bool {
	return e.Op != fsnotify.Chmod && !strings.Contains(filepath.Base(e.Name), OwnerMarker)
}

func (n *notifier) renew() {
	err := n.fsw.Add(n.path)
	if err != nil && !n.lost {
		n.log.Warn().Err(err).Str("folder", n.path).Msg("folder no longer watched; it is scanned")
	}
	n.lost = err != nil
}

func (n *notifier) hint() {
	select {
	case n.out <- struct{}{}:
	default:
	}
}
