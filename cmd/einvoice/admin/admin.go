// Package admin answers monitoring on a loopback address: is the daemon alive,
// is it ready and if not why, and its figures for Prometheus. It changes nothing
// and shows no invoice.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"einvoice/connector/setting"
)

// Config is the [admin] section.
type Config struct {
	Enabled bool   `toml:"enabled"`
	Listen  string `toml:"listen"`
}

// Defaults of the [admin] section.
func Defaults() Config { return Config{Enabled: true, Listen: "127.0.0.1:8481"} }

// Validate keeps the listener on this machine: it asks nobody who they are.
func (c Config) Validate(r setting.Report) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "" {
		r.Wrong("listen", `is %q, but must be an address and a port, such as "127.0.0.1:8481"`, c.Listen)
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.Wrong("listen", "is %q, which others can reach; keep it on 127.0.0.1 and put a proxy that asks who they are in front", c.Listen)
	}
}

// Source is what the daemon tells.
type Source interface {
	// Alive is nil when the ledger answers.
	Alive(ctx context.Context) error
	// Causes say why invoices or answers do not move; none when they do.
	Causes(ctx context.Context) ([]string, error)
	// Figures are those of now.
	Figures(ctx context.Context) (Figures, error)
}

// patience bounds one answer.
const patience = 10 * time.Second

// Handler serves /livez, /readyz and /metrics.
func Handler(s Source, m *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		answer(w, nil, s.Alive(ctx))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		causes, err := s.Causes(ctx)
		answer(w, causes, err)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry(s), promhttp.HandlerOpts{Timeout: patience}))
	return local(mux)
}

// local refuses what a page in an admin's browser could ask under another name
// for this machine.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "ask for 127.0.0.1", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, causes []string, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		causes = append(causes, err.Error())
	}
	if len(causes) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, c := range causes {
		fmt.Fprintln(w, c)
	}
}

// Serve answers until ctx ends. An address that cannot be had is told and is no
// reason not to send invoices.
func Serve(ctx context.Context, c Config, h http.Handler, log zerolog.Logger) error {
	if !c.Enabled {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		log.Error().Err(err).Msg("monitoring is not served: set admin.listen to a free port, or admin.enabled = false")
		return nil
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 2 * patience, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("serve monitoring: %w", err)
	}
	return nil
}
