package sandbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"time"
)

// neutral is who sends the invoices that nothing else can deliver: the
// platform, not the seller, so that an answer does not look like theirs.
const neutral = "no-reply@sandbox.invalid"

// mail delivers an invoice by e-mail: a file in Options.Mail, and Options.SMTP.
// Neither holds the clockwork up. The caller holds mu.
func (s *Sandbox) mail(r record) {
	if s.opt.Mail == "" && s.opt.SMTP == "" {
		return // it can be read all the same: /sandbox/invoices/{id}/mail.eml
	}
	s.wg.Go(func() {
		to, message, err := s.message(r)
		if err == nil && s.opt.Mail != "" {
			err = os.WriteFile(filepath.Join(s.opt.Mail, safeName(r.Number)+"-"+r.ID+".eml"), message, 0o600)
		}
		if err == nil && s.opt.SMTP != "" {
			err = smtp.SendMail(s.opt.SMTP, nil, neutral, []string{to}, message)
		}
		if err != nil {
			s.opt.Log("sandbox: mail of invoice %s: %v", r.Number, err)
		}
	})
}

// message is the e-mail with the Factur-X of an invoice.
func (s *Sandbox) message(r record) (to string, _ []byte, _ error) {
	inv, err := s.invoice(r)
	if err != nil {
		return "", nil, err
	}
	if inv.Recipient.Email == nil {
		return "", nil, fmt.Errorf("invoice %s: the recipient has no e-mail address", r.Number)
	}
	file, err := s.facturX(r)
	if err != nil {
		return "", nil, err
	}
	to = safeHeader(*inv.Recipient.Email)
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	if err := parts.SetBoundary("einvoice-" + r.ID); err != nil {
		return "", nil, err
	}
	for _, h := range [][2]string{
		{"From", mime.QEncoding.Encode("utf-8", "Plateforme de facturation (bac à sable)") + " <" + neutral + ">"},
		{"To", to}, {"Date", r.Created.Format(time.RFC1123Z)}, {"Message-ID", "<" + r.ID + "@sandbox.invalid>"},
		{"Subject", mime.QEncoding.Encode("utf-8", safeHeader("Facture "+r.Number+" de "+inv.Sender.Name))},
		{"MIME-Version", "1.0"}, {"Content-Type", `multipart/mixed; boundary="` + parts.Boundary() + `"`},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	text := fmt.Sprintf("Bonjour,\r\n\r\n%s vous adresse la facture %s, d'un montant de %s %s.\r\nElle est jointe au format Factur-X.\r\n\r\nBAC À SABLE : ce message n'a aucune valeur légale.\r\n",
		inv.Sender.Name, r.Number, inv.Gross.Pad(2), cmp.Or(inv.Currency, "EUR"))
	for _, p := range []struct{ kind, disposition, content string }{
		{"text/plain; charset=utf-8", "inline", lined(base64.StdEncoding.EncodeToString([]byte(text)))},
		{"application/pdf", mime.FormatMediaType("attachment", map[string]string{"filename": file.Filename}), lined(file.Document)},
	} {
		part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {p.kind}, "Content-Disposition": {p.disposition}, "Content-Transfer-Encoding": {"base64"}})
		if err != nil {
			return "", nil, err
		}
		_, _ = part.Write([]byte(p.content))
	}
	err = parts.Close()
	return to, b.Bytes(), err
}

// lined breaks base64 into the lines that mail allows.
func lined(s string) string {
	var b bytes.Buffer
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s + "\r\n"
}

// safeHeader keeps a value on its line.
func safeHeader(s string) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, []byte(s)))
}

// showMail is GET /sandbox/invoices/{id}/mail.eml.
func (s *Sandbox) showMail(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	rec := s.store.byID[r.PathValue("id")]
	if rec == nil || rec.Network != networkEmail || rec.Incoming {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	copied := *rec
	s.mu.Unlock()
	_, message, err := s.message(copied)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, http.StatusOK, "message/rfc822", message)
}
