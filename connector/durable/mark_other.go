//go:build !windows

package durable

// MarkForeign does nothing where no program asks for such a mark.
func MarkForeign(string) bool { return false }
