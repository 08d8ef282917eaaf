//go:build !windows

package main

import (
	"errors"

	"einvoice/connector/setting"
)

func connectShare(string, string, setting.Secret) error { return errors.ErrUnsupported }
