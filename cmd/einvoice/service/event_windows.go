package service

import (
	"io"
	"strings"

	"github.com/rs/zerolog"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Ids of events, for filters: the technical log, the business journal.
const (
	eventTechnical = 1
	eventJournal   = 2
)

// EventWriter is the Event Log, where this process is a service, else nil.
func EventWriter() io.Writer { return eventWriter(eventTechnical) }

// EventText is the Event Log for lines in plain words; see EventWriter.
func EventText() io.Writer { return eventWriter(eventJournal) }

func eventWriter(id uint32) io.Writer {
	if under, err := svc.IsWindowsService(); err != nil || !under {
		return nil
	}
	log, err := eventlog.Open(Name)
	if err != nil {
		return io.Discard // a service has no other place to say it
	}
	return events{log, id}
}

// events writes each line as one event of its level.
type events struct {
	log *eventlog.Log
	id  uint32
}

func (e events) Write(p []byte) (int, error) { return e.WriteLevel(zerolog.InfoLevel, p) }

func (e events) WriteLevel(l zerolog.Level, p []byte) (int, error) {
	text := strings.TrimRight(string(p), "\r\n")
	var err error
	switch {
	case l >= zerolog.ErrorLevel && l != zerolog.NoLevel:
		err = e.log.Error(e.id, text)
	case l == zerolog.WarnLevel:
		err = e.log.Warning(e.id, text)
	default:
		err = e.log.Info(e.id, text)
	}
	return len(p), err
}
