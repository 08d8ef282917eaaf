package main

import (
	"sync"

	"github.com/rs/zerolog"
)

// said remembers what the log was told last about each subject, so that a
// failure that goes on for a night is one line, and its end another.
type said struct {
	mu   sync.Mutex
	last map[string]string
}

// say logs an error when it is another one than last time, and its end.
func (s *said) say(log zerolog.Logger, subject string, err error, what string) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	if s.last == nil {
		s.last = map[string]string{}
	}
	before := s.last[subject]
	s.last[subject] = text
	s.mu.Unlock()
	switch {
	case before == text:
	case err == nil:
		log.Info().Str("subject", subject).Msg("works again")
	default:
		log.Error().Str("subject", subject).Err(err).Msg(what)
	}
}
