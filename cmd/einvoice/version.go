package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamped is set by packagers: -ldflags "-X main.stamped=1.2.3". Otherwise the
// build information of the module says which version this is.
var stamped string

func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versionText is what `einvoice version` prints.
func versionText() string {
	commit, dirty := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " (modified)"
			}
		}
	}
	return fmt.Sprintf("einvoice %s\ncommit %s%s\n%s %s/%s", version(), commit, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
