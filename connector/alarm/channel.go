package alarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rs/zerolog"

	"einvoice/connector/mail"
)

// Log says alarms in the technical log, and so in the Event Log of a Windows
// service.
type Log struct{ Log zerolog.Logger }

// Name of the channel.
func (Log) Name() string { return "log" }

// Say writes one line.
func (l Log) Say(_ context.Context, n Notice) error {
	line := l.Log.Error()
	if n.Cleared {
		line = l.Log.Info()
	}
	line.Str("alarm", string(n.Kind)).Str("subject", n.Subject).Time("since", n.Since).Bool("cleared", n.Cleared).Str("detail", n.Detail).Msg(n.Title)
	return nil
}

// Mail says alarms by e-mail.
type Mail struct {
	Server mail.Config
	To     []string
	Prefix string // of the subject, such as the machine's name
}

// Name of the channel.
func (Mail) Name() string { return "mail" }

// Say sends one mail to all recipients.
func (m Mail) Say(ctx context.Context, n Notice) error {
	text := fmt.Sprintf("%s\n\n%s\n\n(%s)\n", n.Title, n.Text, n.Since.Format(time.DateTime))
	return m.Server.Send(ctx, mail.Message{To: m.To, Subject: m.Prefix + n.Title, Text: text})
}

// Webhook posts alarms as JSON.
type Webhook struct {
	URL string // may hold a secret: it is in no error
}

// webhookPatience bounds one call.
const webhookPatience = 15 * time.Second

// Name of the channel.
func (Webhook) Name() string { return "webhook" }

// Say posts kind, subject, since, cleared, title and text; text is also what
// chat services show.
func (w Webhook) Say(ctx context.Context, n Notice) error {
	body, err := json.Marshal(map[string]any{
		"kind": n.Kind, "subject": n.Subject, "since": n.Since.UTC().Format(time.RFC3339), "cleared": n.Cleared,
		"title": n.Title, "detail": n.Detail, "text": n.Title + "\n" + n.Text,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, webhookPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	var told *url.Error
	if errors.As(err, &told) {
		err = told.Err // without the URL
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return nil
}

var _ = []Channel{Log{}, Mail{}, Webhook{}}
