package sftptest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServersEndWithTheTest kills a test that runs a server: no cleanup runs,
// and the server must not stay behind.
func TestServersEndWithTheTest(t *testing.T) {
	if os.Getenv("EINVOICE_TEST_VICTIM") != "" {
		fmt.Println("pid", StartSshd(t).Pid)
		time.Sleep(time.Minute)
		return
	}
	installed(t, "openssh-server", "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd")
	cmd := exec.Command(os.Args[0], "-test.run=^TestServersEndWithTheTest$", "-test.v")
	cmd.Env = append(os.Environ(), "EINVOICE_TEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			pid, _ = strconv.Atoi(text)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if pid == 0 {
		t.Fatal("the server did not start")
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if gone(pid) {
			return
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Errorf("the server (pid %d) outlived its test", pid)
}

// gone tells a process that ended; nobody may have waited for it yet.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
