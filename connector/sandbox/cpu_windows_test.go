package sandbox

import "time"

var begun = time.Now()

// worked is the time that went by.
func worked() time.Duration { return time.Since(begun) }
