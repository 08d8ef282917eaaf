//go:build unix

package service

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func options() Options {
	return Options{Exe: "/usr/bin/einvoice", Config: "/etc/einvoice/einvoice.toml", Ledger: "/var/lib/einvoice",
		Folders: []string{"/srv/erp/a_envoyer", "/srv/erp/re tours"}, Secrets: []string{"/etc/einvoice/token.txt"}}
}

func TestUnitIsHardened(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("systemd-analyze is absent; .ci/run installs systemd")
		}
		t.Skip("systemd-analyze is absent: apt-get install systemd")
	}
	home := options()
	home.Folders = append(home.Folders, "/home/erp/exports")
	for name, opt := range map[string]Options{"usual": options(), "drop in a home": home} {
		path := filepath.Join(t.TempDir(), Name+".service")
		if err := os.WriteFile(path, []byte(Unit(opt)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", path).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		m := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		if m == nil {
			t.Fatalf("no score:\n%s", out)
		}
		score, err := strconv.ParseFloat(string(m[1]), 64)
		t.Logf("%s: %v", name, score)
		if err != nil || score > 1.5 {
			t.Errorf("%s: %s, want at most 1.5:\n%s", name, m[1], out)
		}
		if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput(); bytes.Contains(out, []byte(path+":")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestUnitNamesWhatTheServiceNeeds(t *testing.T) {
	text := Unit(options())
	for _, want := range []string{"Type=notify\n", "WatchdogSec=", "Restart=always\n", "User=einvoice\n", "ProtectHome=yes\n",
		"ReadWritePaths=-/srv/erp/a_envoyer\n", `ReadWritePaths=-"/srv/erp/re tours"` + "\n", "ReadWritePaths=-/var/lib/einvoice\n",
		"LoadCredential=" + credential("/etc/einvoice/token.txt") + ":/etc/einvoice/token.txt\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("unit lacks %q:\n%s", want, text)
		}
	}
}

func TestDryRunDoesNothingAndSaysAll(t *testing.T) {
	for _, verb := range Verbs() {
		var out bytes.Buffer
		opt := options()
		opt.DryRun, opt.Out = true, &out
		opt.Command = func(context.Context, string, ...string) error { t.Error("ran something"); return nil }
		if err := Do(t.Context(), verb, opt); err != nil || out.Len() == 0 {
			t.Errorf("%s: %v %q", verb, err, out.String())
		}
	}
	if Do(t.Context(), "explode", Options{Out: &bytes.Buffer{}}) == nil {
		t.Error("an unknown verb was taken")
	}
}

func TestSystemdIsToldReadyAndStopping(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err = Run(ctx, func(ctx context.Context, ready func(), _ <-chan struct{}) error {
		ready()
		expect(t, l, "READY=1")
		watching, end := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { Watch(watching, func(context.Context) error { return nil }); close(done) }()
		expect(t, l, "WATCHDOG=1")
		expect(t, l, "WATCHDOG=1")
		end()
		<-done
		stop()
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, l, "STOPPING=1")
}

func expect(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for {
		n, err := l.Read(buf)
		if err != nil {
			t.Fatalf("wait for %s: %v", want, err)
		}
		if string(buf[:n]) == want {
			return
		}
	}
}

func TestSecretComesFromTheServiceManagerWhereItHandsItOver(t *testing.T) {
	dir := t.TempDir()
	env := func(string) string { return dir }
	if got := Secret("/etc/token", env); got != "/etc/token" {
		t.Errorf("not handed over: %s", got)
	}
	handed := filepath.Join(dir, credential("/etc/token"))
	if err := os.WriteFile(handed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Secret("/etc/token", env); got != handed {
		t.Errorf("handed over: %s", got)
	}
}
