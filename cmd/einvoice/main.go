// Command einvoice connects an ERP that can only write and read files to the
// E-Invoicing API France.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // Windows and minimal Linux systems do not know Europe/Paris
)

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit code. The first interrupt
// asks for a clean stop, a second one ends the process at once.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}
