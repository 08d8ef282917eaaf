package sftpplace

import "io/fs"

// open cannot be told by a mode on Windows, where rights are inherited from the folder.
func open(fs.FileMode) bool { return false }
