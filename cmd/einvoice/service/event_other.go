//go:build !windows

package service

import "io"

// EventWriter is the Event Log of Windows; elsewhere standard error is kept by
// the service manager, and this is nil.
func EventWriter() io.Writer { return nil }

// EventText is the Event Log for lines in plain words; see EventWriter.
func EventText() io.Writer { return nil }
