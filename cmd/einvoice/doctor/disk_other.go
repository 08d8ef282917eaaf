//go:build !linux && !windows

package doctor

import "errors"

// DiskOf is known on Linux and Windows only.
func DiskOf(string) (Disk, error) { return Disk{}, errors.ErrUnsupported }
