package sftpplace_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"

	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/setting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stall is a channel whose server may stop answering.
type stall struct {
	io.ReadWriteCloser
	hang *atomic.Bool
	gone chan struct{}
	once sync.Once
}

func (s *stall) Write(b []byte) (int, error) {
	if s.hang.Load() {
		<-s.gone
		return 0, io.ErrClosedPipe
	}
	return s.ReadWriteCloser.Write(b)
}

func (s *stall) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	if err != nil {
		s.once.Do(func() { close(s.gone) })
	}
	return n, err
}

// TestServerThatHangsCostsOneTimeout: the call ends in time, the next ones use a
// new connection, and another server's places feel nothing.
func TestServerThatHangsCostsOneTimeout(t *testing.T) {
	var hang atomic.Bool
	s := sftptest.Start(t, sftptest.Options{Serve: func(ch io.ReadWriteCloser) error {
		return sftptest.Files(&stall{ReadWriteCloser: ch, hang: &hang, gone: make(chan struct{})})
	}})
	section := s.Section()
	section.Timeout, section.ConnectTimeout = setting.Duration(300*time.Millisecond), setting.Duration(time.Second)
	p, _ := place(t, s, section)
	awaitNil(t, func() error { return p.Publish(t.Context(), "a.csv", strings.NewReader("a")) })
	hang.Store(true)
	for name, call := range map[string]func() error{
		"list":    func() error { return p.Connect(t.Context()) },
		"publish": func() error { return p.Publish(t.Context(), "b.csv", strings.NewReader("b")) },
		"open": func() error {
			r, err := p.Open(t.Context(), "a.csv")
			if err == nil {
				r.Close()
			}
			return err
		},
	} {
		start := time.Now()
		if err := call(); !errors.Is(err, drop.ErrBusy) {
			t.Errorf("%s: error %v, want ErrBusy", name, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	hang.Store(false)
	awaitNil(t, func() error { return p.Publish(t.Context(), "b.csv", strings.NewReader("b")) })
}

// awaitNil tries until a call works: a server that was away is dialled again after a pause.
func awaitNil(t testing.TB, call func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = call(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestServerThatNeverGreets accepts and says nothing: the first call waits
// connect_timeout, later ones do not wait at all.
func TestServerThatNeverGreets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int32
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			dials.Add(1)
		}
	}()
	defer func() { l.Close(); <-accepting }()
	_, key := sftptest.KeyFile(t, "")
	section := sftptest.Section(l.Addr().String(), key, "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
	section.ConnectTimeout = setting.Duration(200 * time.Millisecond)
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	defer hosts.Close()
	p, err := hosts.Place("sftp://erp@"+l.Addr().String()+"/x", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := p.Connect(t.Context()); !errors.Is(err, drop.ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
	}
	if n := dials.Load(); n > 5 { // one, unless the machine rests longer than the pause between two
		t.Errorf("20 calls to a server that is away dialled it %d times", n)
	}
}

func TestServerThatComesBackIsUsedAgain(t *testing.T) {
	host := sftptest.NewKey(t)
	s := sftptest.Start(t, sftptest.Options{Host: host})
	p, _ := place(t, s, s.Section())
	if err := p.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if err := p.Connect(t.Context()); !errors.Is(err, drop.ErrBusy) {
		t.Errorf("while it is away: %v, want ErrBusy", err)
	}
	again := sftptest.Start(t, sftptest.Options{Host: host, Listen: s.Addr, Account: s.Account})
	_ = again
	awaitNil(t, func() error { return p.Connect(t.Context()) })
}

func TestIdleConnectionIsClosed(t *testing.T) {
	var open atomic.Int32
	s := sftptest.Start(t, sftptest.Options{Serve: func(ch io.ReadWriteCloser) error {
		open.Add(1)
		defer open.Add(-1)
		return sftptest.Files(ch)
	}})
	section := s.Section()
	section.Idle, section.KeepAlive = setting.Duration(200*time.Millisecond), setting.Duration(100*time.Millisecond)
	p, _ := place(t, s, section)
	if err := p.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitNil(t, func() error {
		if n := open.Load(); n != 0 {
			return errors.New("still open")
		}
		return nil
	})
	if err := p.Connect(t.Context()); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestIdleConnectionIsKeptAlive(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	section := s.Section()
	section.KeepAlive = setting.Duration(100 * time.Millisecond)
	p, _ := place(t, s, section)
	if err := p.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitNil(t, func() error {
		if s.Alive.Load() < 2 {
			return errors.New("no signs of life")
		}
		return nil
	})
}

// TestOddThingsInADirectory: what is no regular file of a plain name is neither
// listed nor opened, and nothing outside the directory can be reached.
func TestOddThingsInADirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows forbids such names")
	}
	s := sftptest.Start(t, sftptest.Options{})
	p, dir := place(t, s, s.Section())
	outside := filepath.Join(filepath.Dir(dir), "outside.csv")
	socket, err := net.Listen("unix", filepath.Join(dir, "special.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, err := range []error{
		os.WriteFile(outside, []byte("secret"), 0o600),
		os.Symlink(outside, filepath.Join(dir, "link.csv")),
		os.Mkdir(filepath.Join(dir, "folder.csv"), 0o755),
		os.WriteFile(filepath.Join(dir, "two\nlines.csv"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(dir, "latin-\xe9.csv"), []byte("x"), 0o600),
		os.WriteFile(filepath.Join(dir, "good.csv"), []byte("x"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w := drop.NewWatcher(p, drop.Config{Complete: drop.OnAppearance}, drop.WatcherOptions{})
	ready, pending, err := w.Scan(t.Context())
	if err != nil || len(ready) != 1 || ready[0].Name != "good.csv" {
		t.Errorf("ready %v, %v; want good.csv alone", ready, err)
	}
	told := 0
	for _, p := range pending {
		if p.Why.Code == "E1010" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("pending %v; want the two odd names told", pending)
	}
	for _, name := range []string{"link.csv", "folder.csv", "special.csv", `..\outside.csv`, "../outside.csv"} {
		if r, err := p.Open(t.Context(), name); err == nil {
			r.Close()
			t.Errorf("open %q worked", name)
		}
		if err := p.Retire(t.Context(), name, "x/"+"y.csv"); err == nil {
			t.Errorf("retire %q worked", name)
		}
	}
	if err := p.Remove(t.Context(), "folder.csv"); err == nil {
		t.Error("a directory was removed")
	}
}

// TestReadOnlyDirectorySaysSo: a place that we may only read serves drops with
// after = "leave"; what would change it is a lack of permission.
func TestReadOnlyDirectorySaysSo(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: func(ch io.ReadWriteCloser) error {
		srv, err := sftp.NewServer(ch, sftp.ReadOnly())
		if err != nil {
			return err
		}
		return srv.Serve()
	}})
	p, dir := place(t, s, s.Section())
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, claimErr := drop.ClaimOwner(t.Context(), p, drop.Owner{ID: "ledger"}, nil)
	for verb, err := range map[string]error{
		"claim":   claimErr,
		"publish": p.Publish(t.Context(), "b.csv", strings.NewReader("b")),
		"retire":  p.Retire(t.Context(), "a.csv", "a.csv"),
		"remove":  p.Remove(t.Context(), "a.csv"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: error %v, want fs.ErrPermission", verb, err)
		}
	}
}

// quota is a server whose disk is full.
type quota struct{ sftptest.Real }

func (quota) Filewrite(*sftp.Request) (io.WriterAt, error) { return noRoom{}, nil }

type noRoom struct{}

func (noRoom) WriteAt([]byte, int64) (int, error) { return 0, sftp.ErrSSHFxFailure }

func TestFullDiskIsTriedAgainLater(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(quota{}).Serve})
	p, _ := place(t, s, s.Section())
	err := p.Publish(t.Context(), "a.csv", strings.NewReader("a"))
	if !errors.Is(err, drop.ErrBusy) || !strings.Contains(err.Error(), "quota") {
		t.Errorf("error %v, want ErrBusy and a word about the quota", err)
	}
}

// short is a server that keeps less than it was sent, and says nothing.
type short struct{ sftptest.Real }

func (short) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := sftptest.Real{}.Filewrite(r)
	return cut{w}, err
}

type cut struct{ io.WriterAt }

func (c cut) WriteAt(b []byte, at int64) (int, error) {
	_, err := c.WriterAt.WriteAt(b[:len(b)/2], at)
	return len(b), err
}

func (c cut) Close() error { return c.WriterAt.(io.Closer).Close() }

func TestPublishComparesTheLength(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{Serve: sftptest.NewRequests(short{}).Serve})
	p, dir := place(t, s, s.Section())
	if err := p.Publish(t.Context(), "a.csv", strings.NewReader("0123456789")); !errors.Is(err, drop.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// mailbox hands a file out once, refuses stat and rename, and counts sessions.
type mailbox struct {
	sftptest.Real
	t    *testing.T
	read *sync.Map
}

func (m mailbox) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	if _, again := m.read.LoadOrStore(r.Filepath, true); again {
		return nil, sftp.ErrSSHFxNoSuchFile
	}
	return m.Real.Fileread(r)
}

func (m mailbox) Filecmd(r *sftp.Request) error {
	if r.Method != "Remove" {
		m.t.Errorf("a mailbox is asked to %s", r.Method)
		return sftp.ErrSSHFxOpUnsupported
	}
	return m.Real.Filecmd(r)
}

func (m mailbox) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method != "List" {
		m.t.Errorf("a mailbox is asked for %s of %s", r.Method, r.Filepath)
	}
	return m.Real.Filelist(r)
}

func (m mailbox) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	m.t.Errorf("a mailbox is asked for lstat of %s", r.Filepath)
	return m.Real.Lstat(r)
}

// TestMailbox: each file is read once, by plain reads, with nothing else asked.
func TestMailbox(t *testing.T) {
	var sessions, most atomic.Int32
	h := mailbox{t: t, read: &sync.Map{}}
	s := sftptest.Start(t, sftptest.Options{Serve: func(ch io.ReadWriteCloser) error {
		if n := sessions.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer sessions.Add(-1)
		return sftptest.NewRequests(h).Serve(ch)
	}})
	section := s.Section()
	section.Profile = sftpplace.Compat
	p, dir := place(t, s, section)
	big := bytes.Repeat([]byte("ligne;1\n"), 50_000)
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(t.Context(), "b.csv", bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, name := range []string{"a.csv", "b.csv"} {
		wg.Go(func() {
			got, err := fetch(t.Context(), p, name)
			if err != nil || !bytes.Equal(got, big) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if err := p.Remove(t.Context(), name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := p.OpenArchived(t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("archived: %v, want fs.ErrNotExist", err)
	}
	if p.Retire(t.Context(), "a.csv", "x") == nil || p.Parallel() != 1 || !p.ReadsOnce() {
		t.Error("a mailbox moves nothing and hands out one file at a time")
	}
	if most.Load() != 1 {
		t.Errorf("%d sessions at once", most.Load())
	}
}

func fetch(ctx context.Context, p *sftpplace.Place, name string) ([]byte, error) {
	r, err := p.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// TestThroughProxies reaches the server through each kind of proxy, which must
// be asked for it, with a password and without.
func TestThroughProxies(t *testing.T) {
	s := sftptest.Start(t, sftptest.Options{})
	for _, c := range []struct {
		name, url, want string
		proxy           func(conn net.Conn) (target string, ok bool)
	}{
		{"CONNECT", "http://", "", answerHTTP("")},
		{"CONNECT with password", "http://u:canary@", "", answerHTTP("Basic dTpjYW5hcnk=")},
		{"CONNECT refused", "http://u:canary@", "407", answerHTTP("Basic other")},
		{"SOCKS5", "socks5://", "", answerSOCKS("")},
		{"SOCKS5 with password", "socks5://u:canary@", "", answerSOCKS("u:canary")},
		{"SOCKS5 refused", "socks5://u:canary@", "refuses the user name", answerSOCKS("x:y")},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan string, 10)
			addr := proxy(t, func(conn net.Conn) (string, bool) {
				target, ok := c.proxy(conn)
				asked <- target
				return target, ok
			})
			section := s.Section()
			section.Proxy = c.url + addr
			p, _ := place(t, s, section)
			err := p.Connect(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the proxy's password shows: %v", err)
			}
			if c.want == "" && <-asked != s.Addr {
				t.Error("the proxy was asked for something else")
			}
		})
	}
}

func answerHTTP(authorization string) func(net.Conn) (string, bool) {
	return func(conn net.Conn) (string, bool) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return "", false
		}
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != authorization {
			io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			return "", false
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nVia: test\r\n\r\n")
		return r.Host, true
	}
}

func answerSOCKS(login string) func(net.Conn) (string, bool) {
	return func(conn net.Conn) (string, bool) {
		b := make([]byte, 512)
		read := func(n int) []byte { io.ReadFull(conn, b[:n]); return b[:n] }
		read(3)
		if login == "" {
			conn.Write([]byte{5, 0})
		} else {
			conn.Write([]byte{5, 2})
			user := string(read(int(read(2)[1])))
			password := string(read(int(read(1)[0])))
			if user+":"+password != login {
				conn.Write([]byte{1, 1})
				return "", false
			}
			conn.Write([]byte{1, 0})
		}
		host := string(read(int(read(5)[4])))
		port := read(2)
		target := net.JoinHostPort(host, itoa(int(port[0])<<8|int(port[1])))
		conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		return target, true
	}
}
