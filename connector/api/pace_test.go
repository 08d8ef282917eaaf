package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"einvoice/connector/setting"
)

// quick is a platform that takes no time.
type quick struct{ calls atomic.Int64 }

func (q *quick) RoundTrip(*http.Request) (*http.Response, error) {
	q.calls.Add(1)
	body := []byte(`{"success":true,"data":{"id":"x","state":"NEW"}}`)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

func pacedClient(t *testing.T, platform http.RoundTripper, perSecond float64) *Client {
	t.Helper()
	cfg := Defaults()
	cfg.RequestsPerSecond = perSecond
	c, err := New(cfg, Options{HTTP: &http.Client{Transport: platform},
		Token: func(context.Context, bool) (setting.Secret, error) { return "0123456789abcdef01234567", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequestsPerSecondAreKeptByBothWaysTogether(t *testing.T) {
	for _, tt := range []struct {
		perSecond float64
		want      time.Duration // for 11 calls
	}{{0, 0}, {5, 2 * time.Second}, {0.5, 20 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			platform := &quick{}
			out, back := pacedClient(t, platform, tt.perSecond), pacedClient(t, platform, tt.perSecond)
			out.KeepPaceWith(back)
			start := time.Now()
			var all sync.WaitGroup
			for i := range 11 {
				all.Go(func() {
					if i%2 == 0 {
						if a := out.Submit(t.Context(), usualInvoice()); a.Fate != Sent {
							t.Errorf("fate %s: %s", a.Fate, a.Note)
						}
						return
					}
					if _, err := back.Get(t.Context(), "x", false); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if took := time.Since(start); took < tt.want || took > tt.want+time.Millisecond {
				t.Errorf("%v a second: 11 calls took %s, want %s", tt.perSecond, took, tt.want)
			}
		})
	}
}

// TestAStopWhileWaitingForTheTurnSendsNothing: the invoice surely did not leave.
func TestAStopWhileWaitingForTheTurnSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		platform := &quick{}
		c := pacedClient(t, platform, 0.001)
		c.Submit(t.Context(), usualInvoice())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if a := c.Submit(ctx, usualInvoice()); a.Fate != Later || platform.calls.Load() != 1 {
			t.Errorf("fate %s after %d calls, want %s after 1", a.Fate, platform.calls.Load(), Later)
		}
	})
}
