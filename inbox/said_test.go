package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"einvoice/connector/drop"
)

// TestAPersonAsksWhileRoundsRun: redeliver and Run in two goroutines, as in the
// daemon.
func TestAPersonAsksWhileRoundsRun(t *testing.T) {
	w := newWorld(t)
	w.arrive(supplied("in1", "S-1"))
	var n atomic.Int64
	w.opt.ERP = func(string) (drop.Place, error) { return nil, errors.New(fmt.Sprint("away ", n.Add(1))) }
	w.restart()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Run(ctx) })
	wg.Go(func() {
		for range 200 {
			_, _ = w.RedeliverToERP(ctx, "S-1")
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
		stop()
	})
	wg.Wait()
}
