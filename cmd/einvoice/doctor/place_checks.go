package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

func folderRights(_ context.Context, e *exam, dir string) verdict {
	if _, _, err := e.machine.Write(dir); err != nil {
		return fail(err.Error(), "give the service's account the right to list, create, rename and delete there")
	}
	return ok("files can be made, listed, renamed and removed")
}

// mappedDrive finds drive letters that exist for a logged-on person only.
func mappedDrive(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	if err == nil && d.Letter != "" {
		return fail(d.Letter+" is a mapped drive, which a Windows service does not have", `write the path as \\server\share\folder; net use shows it`)
	}
	return ok("not a mapped drive")
}

func folderNetwork(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	switch {
	case err != nil:
		return fail(err.Error(), "mount the share, or correct the path")
	case d.Network:
		return warn("stands on a network file system ("+d.Kind+"): no events from other machines, so that exports wait for the next scan", "set scan = \"10s\" for this drop")
	}
	return ok("local disk (%s)", d.Kind)
}

// The free space below which a volume is reported.
const (
	spaceFail = 200 << 20
	spaceWarn = 2 << 30
)

func space(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	free := fmt.Sprintf("%d MiB free", d.Free>>20)
	switch {
	case err != nil:
		return fail(err.Error(), "mount the volume, or correct the path")
	case d.Free < spaceFail:
		return fail(free, "make room on the volume: below 200 MiB exports may not be taken")
	case d.Free < spaceWarn:
		return warn(free, "make room on the volume before it is full")
	}
	return ok("%s", free)
}

func inodes(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	seen := fmt.Sprintf("%d of %d inodes free", d.FreeInodes, d.Inodes)
	switch {
	case err != nil:
		return fail(err.Error(), "mount the volume, or correct the path")
	case d.Inodes == 0:
		return ok("no limit of files")
	case d.FreeInodes < 1000:
		return fail(seen, "delete or move old small files: df -i '"+dir+"'")
	case d.FreeInodes < d.Inodes/50:
		return warn(seen, "delete or move old small files: df -i '"+dir+"'")
	}
	return ok("%s", seen)
}

// folderClock compares the clock of the volume with ours. Wholeness does not
// depend on it; what people read in file dates does.
func folderClock(_ context.Context, e *exam, dir string) verdict {
	_, modified, err := e.machine.Write(dir)
	if err != nil {
		return fail(err.Error(), "see folder-rights")
	}
	return skew(e.machine.Now().Sub(modified), "the file server")
}

// skew grades the difference between two clocks.
func skew(d time.Duration, whose string) verdict {
	seen := fmt.Sprintf("our clock and that of %s differ by %s", whose, d.Abs().Round(time.Second))
	switch {
	case d.Abs() > 5*time.Minute:
		return fail(seen, "synchronise both: timedatectl set-ntp true, or w32tm /resync")
	case d.Abs() > 10*time.Second:
		return warn(seen, "synchronise both: timedatectl set-ntp true, or w32tm /resync")
	}
	return ok("%s", seen)
}

// antivirus times writing, publishing and reopening a file of a few bytes.
func antivirus(_ context.Context, e *exam, dir string) verdict {
	took, _, err := e.machine.Write(dir)
	if err != nil {
		return fail(err.Error(), "see folder-rights")
	}
	seen := fmt.Sprintf("a small file is written and read back in %s", took.Round(time.Microsecond))
	switch {
	case took > 5*time.Second:
		return fail(seen, "exclude this folder from the antivirus' on-access scan, or use a faster share")
	case took > 500*time.Millisecond:
		return warn(seen, "exclude this folder from the antivirus' on-access scan")
	}
	return ok("%s", seen)
}

// letterCase finds two folders that are one where letter case does not count.
func letterCase(_ context.Context, e *exam, dir string) verdict {
	same, err := e.machine.Fold(dir)
	if err != nil {
		return fail(err.Error(), "see folder-rights")
	}
	if !same {
		return ok("A and a are different names")
	}
	for _, f := range e.Folders {
		if f.Path != dir && strings.EqualFold(f.Path, dir) {
			return fail("A and a are the same name here, and "+f.Path+" differs by case alone", "give the two folders different names")
		}
	}
	return ok("A and a are the same name")
}

func (e *exam) folder(path string) Folder {
	for _, f := range e.Folders {
		if f.Drop && f.Path == path {
			return f
		}
	}
	return Folder{Path: path}
}

// sameVolume tells whether an original can be archived by a rename.
func sameVolume(_ context.Context, e *exam, dir string) verdict {
	archive := e.folder(dir).Archive
	if archive == "" {
		return ok("originals are not moved")
	}
	from, ferr := e.machine.Disk(dir)
	to, terr := e.machine.Disk(archive)
	if ferr != nil || terr != nil {
		return fail("the drop or its archive cannot be asked", "see folder-exists")
	}
	if err := e.machine.Rename(dir, archive); err != nil {
		if from.Free == to.Free && from.Kind == to.Kind { // the same volume: rights, not distance
			return fail(err.Error(), "let the service's account write in "+archive)
		}
		return fail("not on the same volume as "+archive+", so that originals are copied and deleted: "+err.Error(), "put folders.archive on the volume of the drop")
	}
	return ok("originals are archived by a rename")
}

// slowScan is a scan that makes people wait where nothing wakes it.
const slowScan = 5 * time.Minute

func events(ctx context.Context, e *exam, dir string) verdict {
	fires := e.machine.Events(ctx, dir, func() error { _, _, err := e.machine.Write(dir); return err })
	scan := e.folder(dir).Scan
	switch {
	case fires:
		return ok("changes are told at once")
	case scan > slowScan:
		return fail(fmt.Sprintf("no events fire here, and the folder is scanned every %s only", scan), `set scan = "10s" for this drop`)
	}
	return warn("no events fire here; the folder is scanned instead", `set scan = "10s" for this drop`)
}
