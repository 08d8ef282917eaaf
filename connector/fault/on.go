//go:build faults

package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// exitCode is that of a process which a crash or a cut ended.
const exitCode = 86

// order is what one point was told to do.
type order struct {
	mode  string
	from  int  // the passage at which it happens
	later bool // and at all that follow
	pause time.Duration
}

// state is all that the points share. It is read from the environment once.
type state struct {
	mu     sync.Mutex
	orders map[Point]order
	passed map[Point]int
	trace  *os.File
	disk   *disk // nil unless something is cut
}

var current = sync.OnceValue(func() *state {
	s, err := parse(os.Getenv("EINVOICE_FAULT"))
	if err == nil {
		if path := os.Getenv("EINVOICE_FAULT_TRACE"); path != "" {
			s.trace, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "EINVOICE_FAULT:", err)
		os.Exit(2)
	}
	return s
})

// parse reads point=mode[@n[+]][:pause], separated by commas.
func parse(text string) (*state, error) {
	s := &state{orders: map[Point]order{}, passed: map[Point]int{}}
	known := map[Point]bool{}
	for _, p := range Points() {
		known[p] = true
	}
	for _, word := range strings.Split(text, ",") {
		if word == "" {
			continue
		}
		name, what, _ := strings.Cut(word, "=")
		if !known[Point(name)] {
			return nil, fmt.Errorf("unknown point %q", name)
		}
		o, err := parseOrder(what)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", word, err)
		}
		s.orders[Point(name)] = o
		if o.mode == "cut" && s.disk == nil {
			if s.disk, err = newDisk(); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func parseOrder(text string) (o order, err error) {
	text, pause, _ := strings.Cut(text, ":")
	mode, at, counted := strings.Cut(text, "@")
	o = order{mode: mode, from: 1, pause: 100 * time.Millisecond}
	if counted {
		at, o.later = strings.CutSuffix(at, "+")
		if o.from, err = strconv.Atoi(at); err != nil {
			return o, err
		}
	}
	if pause != "" {
		if o.pause, err = time.ParseDuration(pause); err != nil {
			return o, err
		}
	}
	switch o.mode {
	case "crash", "cut", "eio", "enospc", "delay":
		return o, nil
	}
	return o, fmt.Errorf("unknown mode %q", o.mode)
}

// Hit is where a point fails: the error is what the disk or the network would
// have said.
func Hit(p Point) error {
	s := current()
	o, now := s.pass(p)
	if !now {
		return nil
	}
	switch o.mode {
	case "crash":
		os.Exit(exitCode) // no deferred call runs, nothing is flushed
	case "cut":
		s.disk.cut() // ends the process
	case "eio":
		return fmt.Errorf("fault %s: %w", p, syscall.EIO)
	case "enospc":
		return fmt.Errorf("fault %s: %w", p, syscall.ENOSPC)
	case "delay":
		time.Sleep(o.pause)
	}
	return nil
}

// pass counts a passage and tells whether it is the one that fails.
func (s *state) pass(p Point) (order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed[p]++
	n := s.passed[p]
	if s.trace != nil {
		fmt.Fprintf(s.trace, "%s %d\n", p, n)
	}
	o, asked := s.orders[p]
	return o, asked && (n == o.from || o.later && n > o.from)
}
