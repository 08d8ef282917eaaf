//go:build !linux

package sftptest

import "os/exec"

func endWithUs(*exec.Cmd) {}
