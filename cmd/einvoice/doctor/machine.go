package doctor

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/drop"
	"einvoice/connector/durable"
)

// Disk is what the system says of the volume that holds a path.
type Disk struct {
	Kind       string // "ext4", "nfs", "NTFS"
	Network    bool
	Letter     string // Windows: the mapped drive, such as "Z:", that a service has not
	Free       uint64 // bytes that this account may use
	Inodes     uint64 // 0 where the file system has no such limit
	FreeInodes uint64
}

// Machine is what the checks measure on. Local is the real one.
type Machine struct {
	Now           func() time.Time
	Administrator func() bool
	Owner         func(path string) (account string, ours bool, err error)
	Others        func(path string) (read, write bool, err error) // rights of everybody else
	Disk          func(path string) (Disk, error)
	Umask         func() int
	OpenFiles     func() uint64
	Events        func(ctx context.Context, dir string, touch func() error) bool
	// Write makes, publishes and reopens a file of the folder and tells how
	// long that took, and how old the file claims to be.
	Write func(dir string) (took time.Duration, modified time.Time, err error)
	// Rename moves a fresh file from one folder to another.
	Rename func(from, to string) error
	// Fold tells whether the folder takes "A" and "a" for the same name.
	Fold func(dir string) (bool, error)
}

// Local measures this machine, as the account that runs.
func Local() Machine {
	return Machine{
		Now: time.Now, Administrator: administrator, Owner: owner, Others: others, Disk: DiskOf, Umask: processUmask,
		OpenFiles: openFileLimit, Events: fires, Write: write, Rename: rename, Fold: fold,
	}
}

// probe is the name of the files that the checks make; drops ignore names that
// begin with a dot.
const probe = ".einvoice-doctor"

func write(dir string) (took time.Duration, modified time.Time, err error) {
	path := filepath.Join(dir, probe)
	start := time.Now()
	if err = durable.WriteFile(path, []byte("einvoice doctor\n"), 0o600); err != nil {
		return 0, modified, err
	}
	defer func() {
		if rerr := durable.Remove(path); err == nil {
			err = rerr
		}
	}()
	if _, err = os.ReadFile(path); err != nil {
		return 0, modified, err
	}
	took = time.Since(start)
	info, err := os.Stat(path)
	if err != nil {
		return took, modified, err
	}
	_, err = os.ReadDir(dir)
	return took, info.ModTime(), err
}

func rename(from, to string) error {
	a, b := filepath.Join(from, probe), filepath.Join(to, probe)
	if err := durable.WriteFile(a, nil, 0o600); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		_ = durable.Remove(a) // the rename's error says more
		return err
	}
	return durable.Remove(b)
}

func fold(dir string) (same bool, err error) {
	path := filepath.Join(dir, probe+"-case")
	if err := durable.WriteFile(path, nil, 0o600); err != nil {
		return false, err
	}
	_, lerr := os.Lstat(filepath.Join(dir, probe+"-CASE"))
	return lerr == nil, durable.Remove(path)
}

// eventPatience is how long an event may take to be told.
const eventPatience = time.Second

// fires tells whether a change in a folder is told as an event.
func fires(ctx context.Context, dir string, touch func() error) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hints, err := drop.Notify(ctx, dir, zerolog.Nop())
	if err != nil {
		return false
	}
	defer func() { // the watch ends before we return
		stop()
		for range hints {
		}
	}()
	if touch() != nil {
		return false
	}
	select {
	case _, open := <-hints:
		return open
	case <-time.After(eventPatience):
		return false
	}
}
