package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"einvoice/cmd/einvoice/service"
)

// daemon runs the daemon until ctx ends, and again with another configuration
// whenever reload asks for it and the new one can be used.
func daemon(ctx context.Context, path string, out io.Writer, ready func(), reload <-chan struct{}) error {
	cfg, err := loadGuarded(path)
	if err != nil {
		return err
	}
	var former *Config // to go back to when the new one cannot be opened
	for {
		l, err := openLogs(cfg.Log, out, os.Stderr)
		if err != nil {
			return err
		}
		log := l.log
		next, err := daemonWith(ctx, cfg, l, ready, reload)
		if cerr := l.Close(); err == nil {
			err = cerr
		}
		switch {
		case err != nil && former != nil && ctx.Err() == nil:
			log.Error().Err(err).Msg("reload refused: the new configuration cannot be opened; going on with the former one")
			cfg, former = former, nil
			continue
		case next == nil || err != nil:
			return err
		}
		former, cfg = cfg, next
	}
}

// daemonWith runs with one configuration. next is the one to go on with, nil when
// ctx ended. What is in flight ends before it returns, as at a stop.
func daemonWith(ctx context.Context, cfg *Config, l *logs, ready func(), reload <-chan struct{}) (next *Config, err error) {
	log := l.log
	a, err := newApp(ctx, cfg, log, l.tell(cfg))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	a.level = l.level
	a.announce()
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	watched := make(chan struct{})
	go func() { defer close(watched); service.Watch(running, a.alive) }()
	defer func() { stop(); <-watched }()
	ready()
	for {
		select {
		case err := <-done:
			log.Info().Msg("stopped")
			return nil, err
		case <-reload:
			if next = reread(cfg, log); next == nil {
				continue
			}
			stop()
			if err := <-done; err != nil {
				return nil, err
			}
			log.Info().Msg("reloaded")
			return next, nil
		}
	}
}

// reread reads the configuration and the mappings again; nil when they are wrong.
func reread(cfg *Config, log zerolog.Logger) *Config {
	_, _, err := check(cfg.file)
	if err != nil {
		log.Error().Err(err).Msg("reload refused: going on with the configuration as it was")
		return nil
	}
	next, err := loadConfig(cfg.file)
	if err == nil && (next.Ledger != cfg.Ledger || next.API.BaseURL != cfg.API.BaseURL) {
		err = errors.New("ledger.path and api.base_url change at a restart only")
	}
	if err != nil {
		log.Error().Err(err).Msg("reload refused: going on with the configuration as it was")
		return nil
	}
	return next
}

// alive asks the ledger something small: its writer and its readers must answer.
func (a *app) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := a.ledger.Get(ctx, "alive")
	return err
}
