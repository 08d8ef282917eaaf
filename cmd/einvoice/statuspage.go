package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"einvoice/connector/alarm"
	"einvoice/connector/drop"
	"einvoice/connector/drop/sftpplace"
	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/outbox"
)

//go:embed statuspage.html
var statusPageHTML string

const (
	pageEvery = time.Minute
	pageFiles = 20 // listed of a folder
)

// statusPage is what the page of a company shows.
type statusPage struct {
	Lang, Company, Now, Stale, Sentence, Stopped, Inbox, Version string
	Sandbox                                                      bool
	W                                                            map[string]string
	Alarms                                                       []pageAlarm
	Drops                                                        []pageDrop
	Queue                                                        []pageCount
	Folders                                                      []pageFolder
	Received                                                     int
}

type pageAlarm struct{ Title, Text, Since string }
type pageDrop struct{ Name, Last, Rhythm string }
type pageCount struct {
	Name string
	N    int
}
type pageFolder struct {
	Title, Name, Link string
	Files             []pageFile
	More              int
}
type pageFile struct{ Name, Link, When string }

// pageName is the page's name in the results folder.
func pageName(lang problem.Lang) string {
	if lang == problem.French {
		return "ETAT.html"
	}
	return "STATUS.html"
}

// writePages rewrites each company's page once a minute: a file that anybody can
// open, with no server, port or account. A place that is away is told once.
func (a *app) writePages(ctx context.Context, now time.Time) {
	if now.Sub(a.pagesAt) < pageEvery && !now.Before(a.pagesAt) {
		return
	}
	a.pagesAt = now
	var errs []error
	for _, c := range a.cfg.Companies {
		errs = append(errs, a.writePage(ctx, c, now))
	}
	if ctx.Err() == nil {
		a.said.say(a.log, "status page", errors.Join(errs...), "status page not written; trying again")
	}
}

func (a *app) writePage(ctx context.Context, c Company, now time.Time) error {
	p, err := a.drawPage(ctx, c, now)
	if err != nil {
		return err
	}
	page, err := template.New("status").Parse(statusPageHTML)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return err
	}
	place, err := a.places.results(a.cfg.resultFolder(c.ID, ledger.FolderResults))
	if err != nil {
		return err
	}
	return place.Publish(ctx, pageName(a.cfg.lang()), &b)
}

func (a *app) drawPage(ctx context.Context, c Company, now time.Time) (p statusPage, err error) {
	loc, w := a.cfg.location(), pageWords(a.cfg.lang())
	p = statusPage{Lang: a.cfg.Language, Company: c.Name, Now: now.In(loc).Format(time.DateTime), Version: version(), W: w,
		Sandbox: a.cfg.Environment == "sandbox"}
	if p.Company == "" {
		p.Company = c.ID
	}
	if p.Stale = w["stale"]; a.once {
		p.Stale = w["staleOnce"]
	}
	figures, err := a.ledger.Status(ctx)
	if err != nil {
		return p, err
	}
	if i := slices.IndexFunc(figures, func(f ledger.Figures) bool { return f.Company == c.ID }); i >= 0 {
		p.Queue = queueCounts(w, figures[i])
	}
	if p.Stopped, err = a.ledger.Get(ctx, outbox.StoppedFact(c.ID)); err != nil {
		return p, err
	}
	if p.Drops, err = a.pageDrops(ctx, c.ID); err != nil {
		return p, err
	}
	local := now.In(loc)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc)
	if p.Received, err = a.ledger.ReceivedFrom(ctx, c.ID, midnight); err != nil {
		return p, err
	}
	up, err := a.alarms.Up(ctx)
	for _, al := range up {
		if a.concerns(al, c.ID) {
			title, text := alarm.Words(a.cfg.lang(), al, false)
			p.Alarms = append(p.Alarms, pageAlarm{title, text, al.Since.In(loc).Format(time.DateTime)})
		}
	}
	base := a.cfg.resultFolder(c.ID, ledger.FolderResults)
	p.Folders = []pageFolder{a.pageFolder(base, c.ID, ledger.FolderRefused, w["refused"]), a.pageFolder(base, c.ID, ledger.FolderToCheck, w["toCheck"])}
	p.Sentence = sentenceOf(w, len(p.Alarms), p.Folders)
	p.Inbox = relative(base, a.cfg.tree(c.ID, a.cfg.Folders.Inbox))
	return p, err
}

// concerns keeps one company's alarms off another's page: what names a company
// or its drop is its own, what names the machine is everybody's.
func (a *app) concerns(al alarm.Alarm, company string) bool {
	owner, _, _ := strings.Cut(al.Subject, "/")
	for _, d := range a.cfg.Drops {
		if d.Name == owner && d.Company != "" {
			owner = d.Company
		}
	}
	known := slices.ContainsFunc(a.cfg.Companies, func(c Company) bool { return c.ID == owner })
	return !known || owner == company
}

// sentenceOf is the page in a line. Files for people are none of the alarms, but
// nobody may read that all is well while some wait.
func sentenceOf(w map[string]string, alarms int, folders []pageFolder) string {
	if alarms > 0 {
		return fmt.Sprintf(w["attention"], alarms)
	}
	files := 0
	for _, f := range folders {
		files += len(f.Files) + f.More
	}
	if files > 0 {
		return fmt.Sprintf(w["files"], files)
	}
	return w["well"]
}

func queueCounts(w map[string]string, f ledger.Figures) []pageCount {
	s := f.States
	return []pageCount{
		{w["toSend"], s[ledger.Queued] + s[ledger.Sending]}, {w["waiting"], s[ledger.Waiting]}, {w["uncertain"], s[ledger.Uncertain]},
		{w["held"], s[ledger.Held]}, {w["sent"], s[ledger.Sent]},
	}
}

func (a *app) pageDrops(ctx context.Context, company string) (all []pageDrop, err error) {
	for _, d := range a.cfg.Drops {
		if d.Company != "" && d.Company != company {
			continue
		}
		taken, err := a.ledger.TakenIn(ctx, d.Name, takesSeen, 1)
		if err != nil {
			return nil, err
		}
		line := pageDrop{Name: d.Name, Last: "–", Rhythm: rhythm(a.cfg.lang(), alarm.Rhythm(taken))}
		if len(taken) > 0 {
			line.Last = taken[len(taken)-1].In(a.cfg.location()).Format(time.DateTime)
		}
		all = append(all, line)
	}
	return all, nil
}

// rhythm is a duration as people say it.
func rhythm(lang problem.Lang, d time.Duration) string {
	every, days := "every %d %s", "days"
	if lang == problem.French {
		every, days = "toutes les %d %s", "jours"
	}
	switch {
	case d == 0:
		return "–"
	case d < 2*time.Minute:
		return fmt.Sprintf(every, max(1, int(d.Seconds())), "s")
	case d < 2*time.Hour:
		return fmt.Sprintf(every, int(d.Minutes()), "min")
	case d < 48*time.Hour:
		return fmt.Sprintf(every, int(d.Round(time.Hour).Hours()), "h")
	}
	if lang == problem.French {
		every = "tous les %d %s"
	}
	return fmt.Sprintf(every, int(d.Hours()/24), days)
}

// pageFolder lists what lies in a folder of people, newest first. On a server
// there are neither links nor a list.
func (a *app) pageFolder(base, company string, folder ledger.Folder, title string) pageFolder {
	dir := a.cfg.resultFolder(company, folder)
	f := pageFolder{Title: title, Name: filepath.Base(dir), Link: relative(base, dir)}
	entries, err := os.ReadDir(dir)
	if err != nil || f.Link == "" {
		return f
	}
	type aged struct {
		name string
		at   time.Time
	}
	var files []aged
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.IsDir() || drop.Junk(e.Name()) || e.Name() == "LISEZMOI.txt" || e.Name() == "README.txt" {
			continue
		}
		files = append(files, aged{e.Name(), info.ModTime()})
	}
	slices.SortFunc(files, func(x, y aged) int { return y.at.Compare(x.at) })
	for i, x := range files {
		if i == pageFiles {
			f.More = len(files) - pageFiles
			break
		}
		f.Files = append(f.Files, pageFile{x.name, f.Link + url.PathEscape(x.name), x.at.In(a.cfg.location()).Format(time.DateTime)})
	}
	return f
}

// relative is a link from one folder to another; "" where there is none.
func relative(from, to string) string {
	if sftpplace.Is(from) || sftpplace.Is(to) {
		return ""
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/") + "/"
}

func pageWords(lang problem.Lang) map[string]string {
	if lang == problem.French {
		return map[string]string{
			"title": "État", "asOf": "État au", "stale": "Cette page est réécrite chaque minute : plus ancienne, le service est arrêté ou ne peut pas écrire ici.",
			"staleOnce": "Cette page est réécrite à chaque passage programmé : plus ancienne, il n'a pas eu lieu ou n'a pas pu écrire ici.",
			"well":      "Tout va bien.", "attention": "%d point(s) demandent votre attention.", "files": "Rien n'est arrêté ; %d fichier(s) attendent quelqu'un.", "since": "depuis le", "exports": "Exports de l'ERP", "drop": "Dépôt",
			"last": "Dernier export", "rhythm": "Rythme habituel", "queue": "Factures à envoyer", "toSend": "À envoyer", "waiting": "En attente", "uncertain": "Incertaines, recherchées",
			"held": "À vérifier", "sent": "Envoyées, en tout", "lane": "Envoi", "open": "ouvert", "stopped": "arrêté", "refused": "Refusées : à corriger et à déposer de nouveau",
			"toCheck": "À vérifier : votre décision est attendue", "none": "Rien.", "received": "Factures reçues", "today": "Reçues aujourd'hui",
		}
	}
	return map[string]string{
		"title": "Status", "asOf": "As of", "stale": "This page is rewritten every minute: when it is older, the service is stopped or cannot write here.",
		"staleOnce": "This page is rewritten by each scheduled run: when it is older, there was none, or it could not write here.",
		"well":      "All is well.", "attention": "%d thing(s) need your attention.", "files": "Nothing is stopped; %d file(s) wait for somebody.", "since": "since", "exports": "Exports of the ERP", "drop": "Drop",
		"last": "Last export", "rhythm": "Usual rhythm", "queue": "Invoices to send", "toSend": "To be sent", "waiting": "Waiting", "uncertain": "Uncertain, being looked up",
		"held": "To check", "sent": "Sent, all in all", "lane": "Sending", "open": "open", "stopped": "stopped", "refused": "Refused: to correct and drop again",
		"toCheck": "To check: your decision is needed", "none": "Nothing.", "received": "Received invoices", "today": "Received today",
	}
}
