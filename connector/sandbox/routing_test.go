package sandbox

import (
	"bufio"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRoutingByRecipient(t *testing.T) {
	b2g := `"chorus_pro_service_code":"SERV-1","commitment_number":"ENG-2",`
	for _, c := range []struct {
		story, fiscalID, email, extra string
		network, state, external      string
		reason                        string
	}{
		{"a company", "200000008", "a@exemple.test", "", "fr-dgfip", "DONE", "made_available", ""},
		{"one that nobody knows", "732829320", "", "", "fr-dgfip", "DONE", "made_available", ""},
		{"over Peppol", "920000007", "", "", "peppol", "DONE", "made_available", ""},
		{"a town", "800000002", "", "", "chorus-pro", "DONE", "approved", ""},
		{"a hospital that demands both", "810000000", "", "", "chorus-pro", "ERROR", "rejected", "REJ_CONT_B2G"},
		{"a hospital that gets the service code only", "810000000", "", `"chorus_pro_service_code":"S",`, "chorus-pro", "ERROR", "rejected", "REJ_CONT_B2G"},
		{"a hospital that gets both", "810000000", "", b2g, "chorus-pro", "DONE", "approved", ""},
		{"in no directory", "900000001", "a@exemple.test", "", "email", "DONE", "submitted", "NON_TRANSMISE"},
		{"a person", "", "a@exemple.test", "", "email", "DONE", "submitted", "NON_TRANSMISE"},
		{"a person without an address", "", "", "", "email", "ERROR", "routing_error", "ROUTAGE_ERR"},
	} {
		t.Run(c.story, func(t *testing.T) {
			r := open(t, Options{}).registered()
			body := invoiceTo("FA-1", c.fiscalID, "Client")
			body = strings.Replace(strings.Replace(body, "compta@exemple.test", c.email, 1), `"currency"`, c.extra+`"currency"`, 1)
			id := at(r.must(200, "POST", "/FR-invoices", body), "data", "id").(string)
			r.settle()
			v := at(r.must(200, "GET", "/FR-invoices/"+id, ""), "data")
			code, _ := at(v, "details", "reason_code").(string)
			if at(v, "details", "network") != c.network || at(v, "state") != c.state || at(v, "details", "external_status") != c.external || code != c.reason {
				t.Errorf("%v %v, want %+v", at(v, "state"), at(v, "details"), c)
			}
		})
	}
}

func TestTheDirectoryCanBeEdited(t *testing.T) {
	file := filepath.Join(t.TempDir(), "directory.json")
	if err := os.WriteFile(file, []byte(`[{"siren":"732829320","name":"Du Fichier SA","network":"peppol"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	r := open(t, Options{Directory: file, Data: data})
	r.must(200, "PUT", "/sandbox/directory/200000008", `{"name":"Menuiserie d'Ailleurs","network":"chorus-pro","needs_commitment_number":true,
		"billing_frame":"S1","mentions":{"PMD":"Pénalités maison"}}`)
	for body, want := range map[string]int{`{"network":"pigeon"}`: 400, `{`: 400} {
		if got, _ := r.call("PUT", "/sandbox/directory/200000008", body); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	if got, _ := r.call("PUT", "/sandbox/directory/12", `{}`); got != 400 {
		t.Errorf("a SIREN of two digits: %d", got)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, Options{Directory: file, Data: data}).registered()
	for fiscalID, want := range map[string]string{"732829320": "peppol", "200000008": "chorus-pro"} {
		v := r.must(200, "POST", "/FR-invoices", invoiceTo("FA-"+fiscalID, fiscalID, "X"))
		if at(v, "data", "details", "network") != want {
			t.Errorf("%s: %v", fiscalID, at(v, "data", "details"))
		}
	}
	r.must(200, "POST", "/FR-configurations", `{"fiscal_id":"200000008"}`)
	v := r.must(200, "GET", "/FR-configurations/200000008", "")
	if at(v, "data", "name") != "Menuiserie d'Ailleurs" {
		t.Errorf("registered as %v", at(v, "data", "name"))
	}
	v = r.must(200, "POST", "/FR-invoices", strings.NewReplacer(seller, "200000008", `"fiscal_id":"200000008","email"`, `"fiscal_id":"732829320","email"`).Replace(invoiceTo("FA-9", buyer, "X")))
	text := string(r.file("/sandbox/invoices/" + at(v, "data", "id").(string) + "/document.xml"))
	if !strings.Contains(text, "<ram:ID>S1<") || !strings.Contains(text, "Pénalités maison") {
		t.Error("the company's defaults are not in its document")
	}
}

// TestMailWhereNothingElseReaches: a real message with the Factur-X, as a file,
// at a mail server, and for download.
func TestMailWhereNothingElseReaches(t *testing.T) {
	server := startMailServer(t)
	dir := t.TempDir()
	r := open(t, Options{Mail: dir, SMTP: server.address}).registered()
	v := r.must(200, "POST", "/FR-invoices", strings.Replace(invoiceTo("FA/1", "900000001", "Injoignable"), "compta@exemple.test", "compta@exemple.test\\r\\nBcc: x@y", 1))
	id := at(v, "data", "id").(string)
	r.settle()
	sent := <-server.messages
	if err := r.Close(); err != nil { // waits for the mail
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "FA_1-"+id+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.file("/sandbox/invoices/" + id + "/mail.eml"); string(got) != string(b) || strings.TrimSpace(sent) != strings.TrimSpace(string(b)) {
		t.Error("file, download and message differ")
	}
	m, err := mail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Bcc") != "" || !strings.Contains(m.Header.Get("From"), neutral) {
		t.Errorf("header %v", m.Header)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"Bonjour", "%PDF-1.7"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil || !strings.HasPrefix(string(content), want) {
			t.Errorf("part %.20q: %v", content, err)
		}
	}
}

type mailServer struct {
	address  string
	messages chan string
}

// startMailServer takes one message after the other, as SMTP wants it.
func startMailServer(t *testing.T) mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := mailServer{l.Addr().String(), make(chan string, 1)}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		c := textproto.NewConn(conn)
		_ = c.PrintfLine("220 sandbox")
		lines := bufio.NewScanner(c.R)
		for lines.Scan() {
			switch word := strings.ToUpper(strings.Fields(lines.Text() + " x")[0]); word {
			case "DATA":
				_ = c.PrintfLine("354 go on")
				var b strings.Builder
				for lines.Scan() && lines.Text() != "." {
					b.WriteString(strings.TrimPrefix(lines.Text(), ".") + "\r\n")
				}
				s.messages <- b.String()
				_ = c.PrintfLine("250 ok")
			case "QUIT":
				_ = c.PrintfLine("221 bye")
				return
			default:
				_ = c.PrintfLine("250 ok")
			}
		}
	}()
	return s
}
