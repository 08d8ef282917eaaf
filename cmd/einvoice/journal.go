package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"einvoice/connector"
	"einvoice/connector/problem"
	"einvoice/connector/results"
	"einvoice/outbox"
)

// journalTo writes the business journal: what happened, in the words of the
// people who drop exports and pick up answers, one line a fact. The technical
// log is another one.
//
// dated lines stand in a file: they carry the day, and each is one line.
func journalTo(w io.Writer, lang problem.Lang, now func() time.Time, dated bool) outbox.Journal {
	var mu sync.Mutex
	return func(event string, args map[string]string) {
		text := sentence(lang, event, args)
		if text == "" {
			return
		}
		layout := time.TimeOnly
		if dated {
			layout, text = time.DateTime, oneLine.ReplaceAllString(text, " → ")
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, "%s  %s\n", now().Format(layout), text)
	}
}

var oneLine = regexp.MustCompile(`\s*\n\s*→ `)

// sentence tells an event in plain words; "" for one that is not worth a line.
func sentence(lang problem.Lang, event string, args map[string]string) string {
	template := wordsFR[event]
	if lang == problem.English {
		template = wordsEN[event]
	}
	if template == "" {
		return ""
	}
	text := fillIn(template, func(name string) string {
		switch name {
		case "counts":
			return counts(lang, args)
		case "what":
			return verdictWord(lang, args["verdict"])
		case "label":
			return label(lang, args)
		case "gross":
			return figure(lang, args[name])
		}
		return args[name]
	})
	if args["number"] == "" { // a problem of the whole file
		text = strings.NewReplacer(" (facture )", "", " (invoice )", "").Replace(text)
	}
	return text
}

// fillIn puts values in the place of names in braces.
func fillIn(template string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(template, "{")
		name, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !open || !closed {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(value(name))
		template = after
	}
}

var wordsFR = map[string]string{
	"sandbox":          "SANDBOX       plateforme d'essai, {api} : rien de ce qui part n'est une facture légale",
	"pending":          "EN ATTENTE    {file} : {reason}\n                        → {remedy}",
	"unready":          "EN ATTENTE    {file}, depuis trop longtemps : {reason}\n                        → {remedy}",
	"trouble":          "ATTENTE       le dépôt {drop} : {reason}. Nouvel essai automatique.",
	"hardship":         "ATTENTE       disque plein ou en panne sur cette machine : {reason}. Rien n'est perdu ; nouvel essai automatique.",
	"relief":           "REPRISE       le disque de cette machine répond de nouveau",
	"unserved":         "ARRÊT         le dépôt {drop} n'est pas lu : {reason}",
	"taken":            "REÇU          {file} (dépôt n° {take} de {drop})",
	"rewritten":        "REÇU          {file} a été réécrit par l'ERP entre-temps : la nouvelle version est traitée aussi",
	"mapped":           "LU            {file} : {invoices} facture(s), modèle {mapping}{counts}",
	"refused":          "REFUSÉ        {where} (facture {number}) : {reason} [{code}]\n                        → {remedy}",
	"verdict":          "{what} {number} ({file}) : {reason} {remedy}",
	"sent":             "ENVOYÉ        facture {number}, {gross} {currency} : prise en charge sous {id}",
	"rejected":         "REJETÉ        facture {number} : {reason}\n                        → {remedy}",
	"stopped":          "ARRÊT         l'envoi de {company} est arrêté : {reason}\n                        → {remedy} Rien n'est perdu ; l'envoi reprendra de lui-même.",
	"unreachable":      "ATTENTE       la plateforme ne répond pas : {reason} Nouvel essai automatique.",
	"doubted":          "RELECTURE     {reason} : sauvegarde restaurée, copie ou autre registre. Les factures déjà envoyées sont relues sur la plateforme avant tout envoi.",
	"resumed":          "REPRISE       l'envoi de {company} a repris",
	"uncertain":        "INCERTAIN     facture {number} : pas de réponse claire ; elle est recherchée avant tout nouvel envoi",
	"found":            "RETROUVÉ      facture {number} : la plateforme l'a bien reçue ({id})",
	"absent":           "ABSENTE       facture {number} : il est prouvé que la plateforme ne l'a pas ; elle est renvoyée",
	"held":             "À VÉRIFIER    facture {number} : {reason}\n                        → {remedy}",
	"released":         "LIBÉRÉE       facture {number}, par {file}",
	"copy":             "À CORRIGER    {invoices} facture(s) de {file} : voir {copy}",
	"returned":         "À CORRIGER    {file} n'a pas pu être lu : voir {copy} et son rapport",
	"settled":          "TERMINÉ       {file}",
	"status":           "STATUT        facture {number} : {label} ({state} / {external})",
	"adopted":          "RETROUVÉ      facture {number} : confirmée par la plateforme ({api_id})",
	"received":         "FACTURE REÇUE n° {number} de {supplier_id}, {gross} {currency} : dossier {month}",
	"callbacks_silent": "SILENCE       la plateforme n'appelle plus depuis {since} ; l'interrogation régulière prend le relais",
	"callbacks_back":   "REPRISE       la plateforme appelle de nouveau",
	"budget":           "LIMITE        {spent} interrogations aujourd'hui sur {budget} : la suite demain",
}

var wordsEN = map[string]string{
	"sandbox":          "SANDBOX     {api} is a sandbox: nothing that is sent is a legal invoice",
	"pending":          "WAITING     {file}: {reason}\n                      → {remedy}",
	"unready":          "WAITING     {file}, for too long: {reason}\n                      → {remedy}",
	"trouble":          "WAITING     drop {drop}: {reason}. Trying again by itself.",
	"hardship":         "WAITING     this machine's disk is full or fails: {reason}. Nothing is lost; trying again by itself.",
	"relief":           "RESUMED     this machine's disk works again",
	"unserved":         "STOPPED     drop {drop} is not read: {reason}",
	"taken":            "TAKEN       {file} (take {take} of {drop})",
	"rewritten":        "TAKEN       {file} was rewritten by the ERP meanwhile: the new version is processed as well",
	"mapped":           "READ        {file}: {invoices} invoice(s), mapping {mapping}{counts}",
	"refused":          "REFUSED     {where} (invoice {number}): {reason} [{code}]\n                      → {remedy}",
	"verdict":          "{what} {number} ({file}): {reason} {remedy}",
	"sent":             "SENT        invoice {number}, {gross} {currency}: taken in charge as {id}",
	"rejected":         "REJECTED    invoice {number}: {reason}\n                      → {remedy}",
	"stopped":          "STOPPED     sending for {company} is stopped: {reason}\n                      → {remedy} Nothing is lost; sending resumes by itself.",
	"unreachable":      "WAITING     the platform does not answer: {reason} Trying again by itself.",
	"doubted":          "READING     {reason}: restored from a backup, a copy, or another ledger's. What was sent is read from the platform before anything goes.",
	"resumed":          "RESUMED     sending for {company} works again",
	"uncertain":        "UNCERTAIN   invoice {number}: no clear answer; it is looked for before anything is sent again",
	"found":            "FOUND       invoice {number}: the platform did receive it ({id})",
	"absent":           "ABSENT      invoice {number}: proven not to be at the platform; it is sent again",
	"held":             "TO CHECK    invoice {number}: {reason}\n                      → {remedy}",
	"released":         "RELEASED    invoice {number}, by {file}",
	"copy":             "TO CORRECT  {invoices} invoice(s) of {file}: see {copy}",
	"returned":         "TO CORRECT  {file} could not be read: see {copy} and its report",
	"settled":          "DONE        {file}",
	"status":           "STATUS      invoice {number}: {label} ({state} / {external})",
	"adopted":          "FOUND       invoice {number}: confirmed by the platform ({api_id})",
	"received":         "RECEIVED    no. {number} of {supplier_id}, {gross} {currency}: folder {month}",
	"callbacks_silent": "SILENCE     the platform calls no more since {since}; polling takes over",
	"callbacks_back":   "BACK        the platform calls again",
	"budget":           "LIMIT       {spent} calls today of {budget}: more tomorrow",
}

// label is the people's word for a status.
func label(lang problem.Lang, args map[string]string) string {
	code, _ := strconv.Atoi(args["code"]) // absent: 0, and the word is the state's
	return results.Label(connector.Status{State: connector.State(args["state"]), External: args["external"], Code: code}, lang)
}

// verdictWord heads the line of an invoice that is not sent now.
func verdictWord(lang problem.Lang, verdict string) string {
	fr := map[string]string{"DUPLICATE": "DÉJÀ CONNUE  ", "CONFLICT": "CONFLIT      ", "SUPERSEDED": "REMPLACÉE    ",
		"IGNORED": "IGNORÉE      ", "HELD": "À VÉRIFIER   ", "WAITING": "EN ATTENTE   "}
	en := map[string]string{"DUPLICATE": "DUPLICATE  ", "CONFLICT": "CONFLICT   ", "SUPERSEDED": "SUPERSEDED ",
		"IGNORED": "IGNORED    ", "HELD": "TO CHECK   ", "WAITING": "WAITING    "}
	if lang == problem.English {
		return en[verdict]
	}
	return fr[verdict]
}

// counts lists how many invoices of a file got which verdict.
func counts(lang problem.Lang, args map[string]string) string {
	names := [][3]string{
		{"QUEUED", "à envoyer", "to send"}, {"REFUSED", "refusée(s)", "refused"}, {"DUPLICATE", "déjà connue(s)", "duplicate"},
		{"CONFLICT", "en conflit", "in conflict"}, {"IGNORED", "ignorée(s)", "ignored"}, {"HELD", "à vérifier", "to check"},
		{"WAITING", "en attente", "waiting"}, {"SUPERSEDED", "remplacée(s)", "superseded"},
	}
	var parts []string
	for _, n := range names {
		word := n[1]
		if lang == problem.English {
			word = n[2]
		}
		if v := args[n[0]]; v != "" && v != "0" {
			parts = append(parts, v+" "+word)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " — " + strings.Join(parts, ", ")
}
