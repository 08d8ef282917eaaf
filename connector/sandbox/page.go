package sandbox

import (
	"bytes"
	"html/template"
	"net/http"
)

const pageText = `<!doctype html><html lang="en"><meta charset="utf-8"><title>einvoice sandbox</title>
<style>body{font:15px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}</style>
<h1>E-Invoicing API France: sandbox</h1>
<p>{{.Companies}} companies, {{.Invoices}} invoices, {{.Faults}} faults armed. Newest first. <a href="/sandbox/books">books</a> <a href="/sandbox/faults">faults</a></p>
<table><tr><th>created<th>direction<th>number<th>company<th>state<th>external status<th>reason<th>id</tr>
{{range .Newest}}<tr><td>{{.Created.Format "2006-01-02 15:04:05"}}<td>{{.Direction}}<td>{{.Number}}<td>{{.Owner}}<td>{{.State}}<td>{{.External}}<td>{{.ReasonCode}}<td><a href="/sandbox/invoices/{{.ID}}">{{.ID}}</a></tr>
{{end}}</table></html>
`

// Direction is for the page.
func (r record) Direction() string { return r.direction() }

// page lists the newest invoices for people.
func (s *Sandbox) page(w http.ResponseWriter, r *http.Request) {
	s.catchUp()
	s.mu.Lock()
	view := struct {
		Companies, Invoices, Faults int
		Newest                      []record
	}{len(s.store.companies), len(s.store.all), len(s.faults), s.store.page(filter{limit: 100}, s.opt.Now())}
	s.mu.Unlock()
	t, err := template.New("page").Parse(pageText)
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, view)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}
