package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/govalues/decimal"
	"github.com/spf13/cobra"

	"einvoice/connector"
	"einvoice/connector/sandbox"
)

func sandboxCommand(s streams) *cobra.Command {
	var listen string
	var force bool
	var switches map[string]string
	opt := sandbox.Options{}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the E-Invoicing API on this machine, to try things out",
		Long: `Sandbox answers like the E-Invoicing API France, with no account and no
network. Its page is at the address that it tells; faults, books and what else
can be asked of it: connector/sandbox/README.md.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opt.Switches.Set(switches); err != nil {
				return fmt.Errorf("%w: --switch: %w", errUsage, err)
			}
			return serveSandbox(cmd.Context(), s, listen, force, opt)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:8490", "address to listen on")
	f.BoolVar(&force, "force", false, "listen on an address that others can reach")
	f.Float64Var(&opt.Scale, "scale", 0.05, "speed of life cycles: 1 is real time, 0 is at once")
	f.StringVar(&opt.Duplicates, "duplicates", "accept", "a number sent twice: accept, conflict or doublon")
	f.BoolVar(&opt.Strict, "strict", false, "refuse invoices that break a rule")
	f.StringVar(&opt.Unverified, "unverified", "accept", "fields the page does not show in requests: accept, ignore or reject")
	f.StringToStringVar(&switches, "switch", nil, "what is unknown of the platform, as name=value: see the README")
	f.BoolVar(&opt.OnlyMinted, "only-minted", false, "accept only tokens that were asked for at /tokens or /token")
	f.DurationVar(&opt.TokenTTL, "token-ttl", 0, "longest life of such a token")
	f.Func("credit", "`euros` in the wallet", into(&opt.Credit))
	f.Func("price", "`euros` that an invoice costs; none is free", into(&opt.Price))
	f.StringVar(&opt.Directory, "directory", "", "JSON file of companies, with how they are reached")
	f.StringVar(&opt.Mail, "mail", "", "folder for the e-mails to recipients that nothing else reaches")
	f.StringVar(&opt.SMTP, "smtp", "", "local mail server (host:port) that gets them too")
	f.StringVar(&opt.Data, "data", "", "file that keeps the state over restarts")
	return cmd
}

// into reads an amount of a flag.
func into(to *decimal.Decimal) func(string) error {
	return func(text string) error {
		a, err := connector.ParseAmount(text)
		*to = a.Or0()
		return err
	}
}

// serveSandbox serves until ctx ends.
func serveSandbox(ctx context.Context, s streams, listen string, force bool, opt sandbox.Options) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%w: --listen %q: %w", errUsage, listen, err)
	}
	if !loopback(host) && !force {
		return fmt.Errorf("%w: --listen %s can be reached by others, and the sandbox asks for no password; add --force if you mean it", errUsage, listen)
	}
	box, err := sandbox.New(opt)
	if err != nil {
		return fmt.Errorf("start sandbox: %w", err)
	}
	defer box.Close()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	fmt.Fprintf(s.out, "SANDBOX: nothing sent here is a legal invoice\nlistening on http://%s\n", l.Addr())
	return serve(ctx, l, box)
}

// serve answers on l until ctx ends, then closes at once: a sandbox has nothing
// to lose.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
