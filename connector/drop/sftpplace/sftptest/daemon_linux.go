package sftptest

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the kernel end a server whose test was killed: no cleanup
// runs then, and the server would hold its port for ever.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
