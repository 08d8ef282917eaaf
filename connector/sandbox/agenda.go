package sandbox

import (
	"container/heap"
	"context"
	"time"
)

// task is due once: an invoice's next phase, or a callback.
type task struct {
	due     time.Time
	seq     int // ties go in the order in which they were planned
	invoice *record
	phase   int // the one that this task was planned for; outdated when the invoice moved otherwise
	call    *call
}

// agenda is what the one clockwork goroutine has before it.
type agenda struct {
	tasks   tasks
	seq     int
	ready   []*call // due, waiting for a free hand
	flying  int
	waiters []chan struct{}
}

// hands is how many callbacks fly at once.
const hands = 16

// at plans a task. The caller holds mu, and nudges the clockwork afterwards.
func (s *Sandbox) at(due time.Time, t task) {
	s.plan.seq++
	t.due, t.seq = due, s.plan.seq
	heap.Push(&s.plan.tasks, &t)
	if s.plan.tasks[0] == &t {
		s.hurry.Store(true)
	}
}

// nudge makes the clockwork look at its agenda again. Requests do it once their
// answer has left, so that nothing they started overtakes it without need.
func (s *Sandbox) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// turn is the clockwork. It sleeps until the next task is due or a sooner one
// is planned.
func (s *Sandbox) turn() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		timer.Reset(s.catchUp())
	}
}

// catchUp does what is due and says how long nothing more will be.
func (s *Sandbox) catchUp() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The clock is read again for every task: at scale 0 a life runs to its end here.
	for len(s.plan.tasks) > 0 && !s.plan.tasks[0].due.After(s.opt.Now()) && !s.closed {
		t := heap.Pop(&s.plan.tasks).(*task)
		if t.call != nil {
			s.plan.ready = append(s.plan.ready, t.call)
		} else if t.invoice.Phases == t.phase {
			s.live(t.invoice)
		}
	}
	s.launch()
	if len(s.plan.tasks) == 0 {
		return time.Hour
	}
	return s.plan.tasks[0].due.Sub(s.opt.Now())
}

// launch sends waiting callbacks while hands are free. The caller holds mu.
func (s *Sandbox) launch() {
	for s.plan.flying < hands && len(s.plan.ready) > 0 && !s.closed {
		c := s.plan.ready[0]
		s.plan.ready = s.plan.ready[1:]
		s.plan.flying++
		s.wg.Go(func() {
			s.deliver(s.ctx, c)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.plan.flying--
			s.launch()
			s.nudge() // there may be a retry
		})
	}
	if !s.plan.idle() {
		return
	}
	for _, w := range s.plan.waiters {
		close(w)
	}
	s.plan.waiters = nil
}

func (a *agenda) idle() bool { return len(a.tasks) == 0 && len(a.ready) == 0 && a.flying == 0 }

// Settle waits until every life cycle and every callback has come to its end.
func (s *Sandbox) Settle(ctx context.Context) error {
	s.catchUp()
	s.mu.Lock()
	if s.plan.idle() {
		s.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	s.plan.waiters = append(s.plan.waiters, done)
	s.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// tasks is a heap by due time.
type tasks []*task

func (t tasks) Len() int      { return len(t) }
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t tasks) Less(i, j int) bool {
	if !t[i].due.Equal(t[j].due) {
		return t[i].due.Before(t[j].due)
	}
	return t[i].seq < t[j].seq
}
func (t *tasks) Push(x any) { *t = append(*t, x.(*task)) }
func (t *tasks) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return last
}
