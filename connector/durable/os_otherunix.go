//go:build !windows && !linux

package durable

func renameNew(oldpath, newpath string) error { return checkedRename(oldpath, newpath) }
