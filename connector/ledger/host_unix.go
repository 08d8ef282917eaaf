//go:build !windows

package ledger

import (
	"os"
	"strings"
)

// machine tells this machine from its clones; "" in a container without an id of
// its own, where the host name changes with each start.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(strings.TrimSpace(string(id))) == 0 {
		return ""
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id)) + "/" + name
}
