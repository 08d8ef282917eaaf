package main

import "os"

// peakMemory is not told by Windows for an ended process.
func peakMemory(*os.ProcessState) int64 { return 0 }
