//go:build faults

package fault

import (
	"testing"
	"time"
)

func TestAnOrderNamesModePassageAndPause(t *testing.T) {
	for text, want := range map[string]order{
		"crash":         {mode: "crash", from: 1, pause: 100 * time.Millisecond},
		"eio@3":         {mode: "eio", from: 3, pause: 100 * time.Millisecond},
		"enospc@2+":     {mode: "enospc", from: 2, later: true, pause: 100 * time.Millisecond},
		"delay@4:200ms": {mode: "delay", from: 4, pause: 200 * time.Millisecond},
		"delay@1+:1.5s": {mode: "delay", from: 1, later: true, pause: 1500 * time.Millisecond},
	} {
		if got, err := parseOrder(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "explode", "crash@x", "delay@1:soon"} {
		if o, err := parseOrder(text); err == nil {
			t.Errorf("%q was understood as %+v", text, o)
		}
	}
	if _, err := parse("no.such.point=crash"); err == nil {
		t.Error("an unknown point was taken")
	}
}

func TestOnlyTheOrderedPassageFails(t *testing.T) {
	s, err := parse("outbox.posted=eio@2,store.kept=eio@2+")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{false, true, false} {
		if _, got := s.pass(Posted); got != want {
			t.Errorf("passage %d: %v", n+1, got)
		}
	}
	for n, want := range []bool{false, true, true} {
		if _, got := s.pass(BlobKept); got != want {
			t.Errorf("passage %d of all later: %v", n+1, got)
		}
	}
	if _, got := s.pass(Post); got {
		t.Error("a point without an order failed")
	}
}
