package inbox

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"einvoice/connector"
	"einvoice/connector/ledger"
	"einvoice/connector/pdf"
	"einvoice/connector/problem"
)

// file is one file of a delivered invoice.
type file struct {
	name    string // below the invoice's folder, with slashes
	content []byte
	foreign bool // as the supplier wrote it
}

const (
	fileJSON    = "invoice.json"
	fileCSV     = "invoice.csv"
	dirAttached = "attachments"
	dirApart    = "attachments/quarantine"
)

// parcel makes every file of a supplier invoice, in the order in which they
// appear where they appear one by one: what an import waits for comes last.
// most bounds the names of attachments.
func (in *Inbox) parcel(r ledger.Received, raw []byte, inv connector.Invoice, most int) ([]file, error) {
	w := wordsOf(in.opt.Lang)
	taken := names{}
	for _, name := range []string{fileJSON, fileCSV, fileXML, w.readable, w.alerts, dirAttached} {
		taken[fold(name)] = true
	}
	sorted := sortAttachments(inv.Attached, inv.Number, taken, most)
	found := append(r.Alerts[:len(r.Alerts):len(r.Alerts)], apart(sorted)...)
	files := attachmentFiles(sorted, w)
	page, err := in.readable(r, inv, found)
	if err != nil {
		in.opt.Log.Warn().Err(err).Str("api_id", r.APIID).Msg("cannot make the readable copy; delivered without it")
		found = append(found, problem.Problem{Code: codeNoPDF, Severity: problem.Warn, Invoice: inv.Number})
	} else {
		files = append(files, file{name: w.readable, content: page})
	}
	if len(found) > 0 {
		files = append(files, file{name: w.alerts, content: alertText(w, in.opt.Lang, r.ToCheck, found)})
	}
	rows, err := in.importCSV(r, inv, found)
	if err != nil {
		return nil, err
	}
	files = append(files, file{name: fileJSON, content: raw})
	if in.cfg.XML != xmlNone {
		copied, err := in.copyXML(inv)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: fileXML, content: copied})
	}
	return append(files, file{name: fileCSV, content: rows}), nil
}

func (in *Inbox) importCSV(r ledger.Received, inv connector.Invoice, found []problem.Problem) ([]byte, error) {
	var b bytes.Buffer
	err := in.cfg.CSV.write(&b, r, inv, found, in.opt.Location)
	return b.Bytes(), err
}

// readable draws our page.
func (in *Inbox) readable(r ledger.Received, inv connector.Invoice, found []problem.Problem) ([]byte, error) {
	var lines []string // the note is drawn as a warning: none without a reason
	for _, p := range found {
		lines = append(lines, p.Message(in.opt.Lang))
	}
	var page bytes.Buffer
	err := pdf.Write(&page, pdf.Document{
		Invoice: inv, Lang: in.opt.Lang, Received: r.ReceivedAt.In(in.opt.Location), Note: strings.Join(lines, "\n"),
	})
	return page.Bytes(), err
}

func attachmentFiles(sorted []attached, w words) (files []file) {
	for _, a := range sorted {
		dir := dirAttached
		switch {
		case a.main:
			dir = ""
		case a.quarantine:
			dir = dirApart
		}
		files = append(files, file{path.Join(dir, a.name), a.content, true})
		if a.quarantine {
			notice := fmt.Appendf([]byte("\ufeff"), w.notice, safeName(a.original, nameMost))
			files = append(files, file{name: path.Join(dir, a.name+".txt"), content: notice})
		}
	}
	return files
}

// apart is the alert about attachments in quarantine.
func apart(sorted []attached) (list []problem.Problem) {
	for _, a := range sorted {
		if a.quarantine {
			list = append(list, problem.Problem{Code: codeQuarantine, Severity: problem.Warn, Value: safeName(a.original, nameMost)})
		}
	}
	return list
}

func alertText(w words, lang problem.Lang, toCheck bool, found []problem.Problem) []byte {
	var b strings.Builder
	if toCheck {
		b.WriteString(w.toCheckWhy + "\r\n\r\n")
	}
	for _, p := range found {
		fmt.Fprintf(&b, "%s  %s\r\n       %s\r\n", p.Code, p.Message(lang), p.Remedy(lang))
	}
	// The mark makes every Windows editor read the accents right.
	return []byte("\ufeff" + b.String())
}
