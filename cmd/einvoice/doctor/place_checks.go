package doctor

import (
	"context"
	"strings"
	"time"

	"einvoice/connector/setting"
)

func folderRights(_ context.Context, e *exam, dir string) verdict {
	if _, _, err := e.machine.Write(dir); err != nil {
		return fail(caused(err), setting.Say("give the service's account the right to list, create, rename and delete there"))
	}
	return ok(setting.Say("files can be made, listed, renamed and removed"))
}

// mappedDrive finds drive letters that exist for a logged-on person only.
func mappedDrive(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	if err == nil && d.Letter != "" {
		return fail(setting.Say("%s is a mapped drive, which a Windows service does not have", d.Letter), setting.Say(`write the path as \\server\share\folder; net use shows it`))
	}
	return ok(setting.Say("not a mapped drive"))
}

func folderNetwork(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("mount the share, or correct the path"))
	case d.Network:
		return warn(setting.Say("stands on a network file system (%s): no events from other machines, so that exports wait for the next scan", d.Kind), setting.Say("set scan = \"10s\" for this drop"))
	}
	return ok(setting.Say("local disk (%s)", d.Kind))
}

// The free space below which a volume is reported.
const (
	spaceFail = 200 << 20
	spaceWarn = 2 << 30
)

func space(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	free := setting.Say("%d MiB free", d.Free>>20)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("mount the volume, or correct the path"))
	case d.Free < spaceFail:
		return fail(free, setting.Say("make room on the volume: below 200 MiB exports may not be taken"))
	case d.Free < spaceWarn:
		return warn(free, setting.Say("make room on the volume before it is full"))
	}
	return ok(free)
}

func inodes(_ context.Context, e *exam, dir string) verdict {
	d, err := e.machine.Disk(dir)
	seen := setting.Say("%d of %d inodes free", d.FreeInodes, d.Inodes)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("mount the volume, or correct the path"))
	case d.Inodes == 0:
		return ok(setting.Say("no limit of files"))
	case d.FreeInodes < 1000:
		return fail(seen, setting.Say("delete or move old small files: df -i '%s'", dir))
	case d.FreeInodes < d.Inodes/50:
		return warn(seen, setting.Say("delete or move old small files: df -i '%s'", dir))
	}
	return ok(seen)
}

// folderClock compares the clock of the volume with ours. Wholeness does not
// depend on it; what people read in file dates does.
func folderClock(_ context.Context, e *exam, dir string) verdict {
	_, modified, err := e.machine.Write(dir)
	if err != nil {
		return fail(caused(err), see("folder-rights"))
	}
	return skew(e.machine.Now().Sub(modified), setting.Say("the file server"))
}

// skew grades the difference between two clocks.
func skew(d time.Duration, whose setting.Phrase) verdict {
	seen := setting.Say("our clock and that of %v differ by %s", whose, d.Abs().Round(time.Second))
	switch {
	case d.Abs() > 5*time.Minute:
		return fail(seen, setting.Say("synchronise both: timedatectl set-ntp true, or w32tm /resync"))
	case d.Abs() > 10*time.Second:
		return warn(seen, setting.Say("synchronise both: timedatectl set-ntp true, or w32tm /resync"))
	}
	return ok(seen)
}

// antivirus times writing, publishing and reopening a file of a few bytes.
func antivirus(_ context.Context, e *exam, dir string) verdict {
	took, _, err := e.machine.Write(dir)
	if err != nil {
		return fail(caused(err), see("folder-rights"))
	}
	seen := setting.Say("a small file is written and read back in %s", took.Round(time.Microsecond))
	switch {
	case took > 5*time.Second:
		return fail(seen, setting.Say("exclude this folder from the antivirus' on-access scan, or use a faster share"))
	case took > 500*time.Millisecond:
		return warn(seen, setting.Say("exclude this folder from the antivirus' on-access scan"))
	}
	return ok(seen)
}

// letterCase finds two folders that are one where letter case does not count.
func letterCase(_ context.Context, e *exam, dir string) verdict {
	same, err := e.machine.Fold(dir)
	if err != nil {
		return fail(caused(err), see("folder-rights"))
	}
	if !same {
		return ok(setting.Say("A and a are different names"))
	}
	for _, f := range e.Folders {
		if f.Path != dir && strings.EqualFold(f.Path, dir) {
			return fail(setting.Say("A and a are the same name here, and %s differs by case alone", f.Path), setting.Say("give the two folders different names"))
		}
	}
	return ok(setting.Say("A and a are the same name"))
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
		return ok(setting.Say("originals are not moved"))
	}
	from, ferr := e.machine.Disk(dir)
	to, terr := e.machine.Disk(archive)
	if ferr != nil || terr != nil {
		return fail(setting.Say("the drop or its archive cannot be asked"), see("folder-exists"))
	}
	if err := e.machine.Rename(dir, archive); err != nil {
		if from.Free == to.Free && from.Kind == to.Kind { // the same volume: rights, not distance
			return fail(caused(err), setting.Say("let the service's account write in %s", archive))
		}
		return fail(setting.Say("not on the same volume as %s, so that originals are copied and deleted: %v", archive, caused(err)), setting.Say("put folders.archive on the volume of the drop"))
	}
	return ok(setting.Say("originals are archived by a rename"))
}

// slowScan is a scan that makes people wait where nothing wakes it.
const slowScan = 5 * time.Minute

func events(ctx context.Context, e *exam, dir string) verdict {
	fires := e.machine.Events(ctx, dir, func() error { _, _, err := e.machine.Write(dir); return err })
	scan := e.folder(dir).Scan
	switch {
	case fires:
		return ok(setting.Say("changes are told at once"))
	case scan > slowScan:
		return fail(setting.Say("no events fire here, and the folder is scanned every %s only", scan), setting.Say(`set scan = "10s" for this drop`))
	}
	return warn(setting.Say("no events fire here; the folder is scanned instead"), setting.Say(`set scan = "10s" for this drop`))
}
