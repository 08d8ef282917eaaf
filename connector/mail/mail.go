// Package mail sends plain e-mails through the customer's own SMTP server.
package mail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"einvoice/connector/setting"
)

// The ways to protect the connection.
const (
	startTLS = "starttls" // required: without it nothing is sent
	wholeTLS = "tls"
	noTLS    = "none"
)

// Config is the [mail] section.
type Config struct {
	// Host of the SMTP server; "" sends no mail at all.
	Host string `toml:"host"`
	Port int    `toml:"port"`
	TLS  string `toml:"tls"`
	User string `toml:"user"`
	// PasswordFile, or the environment variable PasswordEnv, holds the password.
	PasswordFile string           `toml:"password_file"`
	PasswordEnv  string           `toml:"password_env"`
	From         string           `toml:"from"`
	Timeout      setting.Duration `toml:"timeout"`
}

// Defaults of the [mail] section.
func Defaults() Config {
	return Config{Port: 587, TLS: startTLS, Timeout: setting.Duration(30 * time.Second)}
}

// Enabled tells whether there is a server to send through.
func (c Config) Enabled() bool { return c.Host != "" }

// Validate reports what cannot send.
func (c Config) Validate(r setting.Report) {
	r.OneOf("tls", c.TLS, startTLS, wholeTLS, noTLS)
	r.Path("password_file", c.PasswordFile)
	if c.Port < 1 || c.Port > 65535 {
		r.Wrong("port", "is %d, but must be 1 to 65535", c.Port)
	}
	r.Between("timeout", c.Timeout, setting.Duration(time.Second), setting.Duration(10*time.Minute))
	if !c.Enabled() {
		return
	}
	if !Address(c.From) {
		r.Wrong("from", "is not an e-mail address; write the one that the server lets us send as")
	}
	if c.TLS == noTLS && c.User != "" {
		r.Wrong("tls", `is "none", but a password may not go over an open line: set tls = "starttls"`)
	}
}

// Address tells whether a text can be a single e-mail address.
func Address(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(text, " \t\r\n,;<>") && !strings.Contains(domain, "@")
}

// Message is one mail in plain text.
type Message struct {
	To      []string
	Subject string
	Text    string
}

// Send delivers a message to the server. Errors name the server, never the password.
func (c Config) Send(ctx context.Context, m Message) error {
	msg, err := message(c.From, m)
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	client, err := c.client()
	if err != nil {
		return fmt.Errorf("prepare mail to %s: %w", c.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout.Std())
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send mail through %s: %w", c.Host, err)
	}
	return nil
}

func message(from string, m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(from), msg.To(m.To...)); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

func (c Config) client() (*gomail.Client, error) {
	opts := []gomail.Option{gomail.WithTimeout(c.Timeout.Std())}
	switch c.TLS {
	case wholeTLS:
		opts = append(opts, gomail.WithSSL())
	case noTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.User != "" {
		password, err := c.password()
		if err != nil {
			return nil, err
		}
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.User), gomail.WithPassword(password.Reveal()))
	}
	return gomail.NewClient(c.Host, append(opts, gomail.WithPort(c.Port))...)
}

// password is read each time: it may have been changed.
func (c Config) password() (setting.Secret, error) {
	if c.PasswordFile == "" {
		return setting.Secret(os.Getenv(c.PasswordEnv)), nil
	}
	data, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return setting.Secret(strings.TrimRight(string(setting.Text(data)), "\r\n")), nil
}
