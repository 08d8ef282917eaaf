package sftpplace_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/drop/sftpplace/sftptest"
	"einvoice/connector/setting"
)

// BenchmarkBesideBareLoops measures each way of using a place against a real
// sshd, and a bare pkg/sftp loop beside it in the same round. The ratio is that
// of the medians: 1 is as fast as the bare loop. Run it with
//
//	go test ./connector/drop/sftpplace -run '^$' -bench Bare -benchtime 3x
func BenchmarkBesideBareLoops(b *testing.B) {
	s := sftptest.StartSshd(b)
	files := 10_000
	if testing.Short() {
		files = 500
	}
	small := bytes.Repeat([]byte("abcdefgh"), 512)
	dir, names := b.TempDir(), make([]string, files)
	for i := range names {
		names[i] = fmt.Sprintf("export%05d.csv", i)
		write(b, filepath.Join(dir, names[i]), small)
	}
	bigDir := b.TempDir()
	write(b, filepath.Join(bigDir, "big.csv"), bytes.Repeat(small, 100<<20/len(small)))
	bare := bareClient(b, s)

	b.Run("list", func(b *testing.B) {
		p := benchPlace(b, s, dir)
		beside(b, files, func() {
			all, err := p.List(b.Context())
			must(b, err, len(all) == files)
		}, func() {
			all, err := bare.ReadDir(dir)
			must(b, err, len(all) == files)
		})
	})
	for _, n := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("fetch-%d", n), func(b *testing.B) {
			p := benchPlace(b, s, dir)
			_, err := p.List(b.Context())
			must(b, err, true)
			inTurns(b, n, names, func(name string) { download(b, p, name, len(small)) },
				func(name string) { bareDownload(b, bare, path.Join(dir, name), len(small)) })
		})
	}
	b.Run("fetch-100MB", func(b *testing.B) {
		p := benchPlace(b, s, bigDir)
		_, err := p.List(b.Context())
		must(b, err, true)
		beside(b, 100, func() { download(b, p, "big.csv", 100<<20) },
			func() { bareDownload(b, bare, path.Join(bigDir, "big.csv"), 100<<20) })
	})
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("publish-%d", n), func(b *testing.B) {
			p, bareDir := benchPlace(b, s, b.TempDir()), b.TempDir()
			inTurns(b, n, names, func(name string) { must(b, p.Publish(b.Context(), name, bytes.NewReader(small)), true) },
				func(name string) { barePublish(b, bare, path.Join(bareDir, name), small) })
		})
	}
}

// beside times both in turn and reports units a second and the ratio.
func beside(b *testing.B, units int, ours, bare func()) {
	var a, z []time.Duration
	for b.Loop() {
		a, z = append(a, timed(ours)), append(z, timed(bare))
	}
	slices.Sort(a)
	slices.Sort(z)
	our, their := a[len(a)/2], z[len(z)/2]
	b.ReportMetric(float64(units)/our.Seconds(), "ours/s")
	b.ReportMetric(float64(units)/their.Seconds(), "bare/s")
	b.ReportMetric(their.Seconds()/our.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// inTurns times both over the files, n at once, taking turns every few hundred:
// what else the machine does meanwhile then meets both.
func inTurns(b *testing.B, n int, names []string, ours, bare func(name string)) {
	var our, their time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		for some := range slices.Chunk(names, 250) {
			our += timed(func() { parallel(n, some, ours) })
			their += timed(func() { parallel(n, some, bare) })
		}
	}
	total := float64(rounds * len(names))
	b.ReportMetric(total/our.Seconds(), "ours/s")
	b.ReportMetric(total/their.Seconds(), "bare/s")
	b.ReportMetric(their.Seconds()/our.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func parallel(n int, names []string, work func(name string)) {
	var wg sync.WaitGroup
	queue := make(chan string)
	for range n {
		wg.Go(func() {
			for name := range queue {
				work(name)
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	wg.Wait()
}

func benchPlace(b *testing.B, s *sftptest.Daemon, dir string) *sftpplace.Place {
	b.Helper()
	section := s.Section()
	section.ConnectTimeout = setting.Duration(time.Minute)
	hosts := sftpplace.NewHosts([]sftpplace.Config{section})
	b.Cleanup(hosts.Close)
	p, err := hosts.Place(s.URL(dir), "")
	must(b, err, true)
	must(b, p.Connect(b.Context()), true) // the bare loop is connected as well
	return p
}

func download(b *testing.B, p *sftpplace.Place, name string, want int) {
	r, err := p.Open(b.Context(), name)
	must(b, err, true)
	n, err := io.Copy(struct{ io.Writer }{io.Discard}, r)
	must(b, err, int(n) == want)
	must(b, r.Close(), true)
}

func bareClient(b *testing.B, s *sftptest.Daemon) *sftp.Client {
	b.Helper()
	section := s.Section()
	key, err := os.ReadFile(section.KeyFile)
	must(b, err, true)
	signer, err := ssh.ParsePrivateKey(key)
	must(b, err, true)
	conn, err := ssh.Dial("tcp", s.Addr, &ssh.ClientConfig{User: section.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey()}) // the bare loop trusts this very sshd
	must(b, err, true)
	c, err := sftp.NewClient(conn)
	must(b, err, true)
	b.Cleanup(func() { c.Close(); conn.Close() })
	return c
}

func bareDownload(b *testing.B, c *sftp.Client, name string, want int) {
	f, err := c.Open(name)
	must(b, err, true)
	n, err := f.WriteTo(io.Discard)
	must(b, err, int(n) == want)
	must(b, f.Close(), true)
}

func barePublish(b *testing.B, c *sftp.Client, name string, content []byte) {
	f, err := c.OpenFile(name+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	must(b, err, true)
	_, err = f.Write(content)
	must(b, err, true)
	must(b, f.Close(), true)
	must(b, c.PosixRename(name+".tmp", name), true)
}

func must(b *testing.B, err error, ok bool) {
	if err != nil || !ok {
		b.Helper()
		b.Fatalf("error %v, ok %v", err, ok)
	}
}

func write(b *testing.B, name string, content []byte) {
	b.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		b.Fatal(err)
	}
}
