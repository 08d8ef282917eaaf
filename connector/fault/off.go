//go:build !faults

package fault

// Hit is where a point fails: the error is what the disk or the network would
// have said. Without the tag "faults" it is nothing.
func Hit(Point) error { return nil }

// Written tells that a file was made whose bytes no fsync made durable yet.
func Written(string) {}

// Synced tells that the bytes of a file are durable.
func Synced(string) {}

// Unlinking tells that a name is about to go, or to point at another file.
func Unlinking(string) {}

// Named tells that a file or folder has a new name; from is the folder's former
// one, "" for a new folder or a file.
func Named(path, from string) {}

// SyncedFolder tells that the names in a folder are durable.
func SyncedFolder(string) {}
