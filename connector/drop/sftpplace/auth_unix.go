//go:build !windows

package sftpplace

import "io/fs"

// open tells a file that others than its owner may read or change; its group
// may read it, as files of a service often are root's and the group's.
func open(mode fs.FileMode) bool { return mode.Perm()&0o037 != 0 }
