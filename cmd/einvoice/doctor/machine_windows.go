package doctor

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

func administrator() bool { return windows.GetCurrentProcessToken().IsElevated() }

// owner compares the owner of a file with the account that runs.
func owner(path string) (string, bool, error) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "", false, fmt.Errorf("owner of %s: %w", path, err)
	}
	sid, _, err := sd.Owner()
	if err != nil {
		return "", false, fmt.Errorf("owner of %s: %w", path, err)
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", false, fmt.Errorf("account that runs: %w", err)
	}
	account := sid.String()
	if name, domain, _, err := sid.LookupAccount(""); err == nil {
		account = domain + `\` + name
	}
	return account, sid.Equals(me.User.Sid), nil
}

// others is false: rights are inherited from the folder, as install sets them.
func others(string) (read, write bool, err error) { return false, false, nil }

func processUmask() int { return 0o077 }

func openFileLimit() uint64 { return math.MaxUint64 }

// DiskOf asks for the drive's type and its free space.
func DiskOf(path string) (Disk, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Disk{}, err
	}
	volume := filepath.VolumeName(abs)
	root, err := windows.UTF16PtrFromString(volume + `\`)
	if err != nil {
		return Disk{}, err
	}
	d := Disk{Kind: "local", Network: windows.GetDriveType(root) == windows.DRIVE_REMOTE || strings.HasPrefix(volume, `\\`)}
	if d.Network {
		d.Kind = "network share"
		if !strings.HasPrefix(volume, `\\`) {
			d.Letter = volume
		}
	}
	at, err := windows.UTF16PtrFromString(abs)
	if err != nil {
		return Disk{}, err
	}
	if err := windows.GetDiskFreeSpaceEx(at, &d.Free, nil, nil); err != nil {
		return Disk{}, fmt.Errorf("ask volume of %s: %w", path, err)
	}
	return d, nil
}
