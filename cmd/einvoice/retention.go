package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/durable"
	"einvoice/connector/ledger"
	"einvoice/connector/results"
	"einvoice/connector/setting"
)

// Retention is the [retention] section: how long is kept what no promise needs.
// Keys, fingerprints, archives and received originals are never removed.
type Retention struct {
	// SpoolDays is how long a spooled copy stays after its export was settled.
	SpoolDays int `toml:"spool_days"`
	// PayloadDays is how long contents of invoices, published answers and bodies
	// of callbacks stay in the ledger's folder.
	PayloadDays int `toml:"payload_days"`
	// MinFreeMiB of the ledger's disk: below it both are kept for a day only.
	MinFreeMiB int `toml:"min_free_mib"`
	// HashList writes each month's list of SHA-256 into the archive.
	HashList bool `toml:"hash_list"`
}

func retentionDefaults() Retention {
	return Retention{SpoolDays: 30, PayloadDays: 400, MinFreeMiB: 1024, HashList: true}
}

func (c Retention) validate(r setting.Report) {
	for _, x := range []struct {
		key       string
		value, lo int
	}{{"spool_days", c.SpoolDays, 1}, {"payload_days", c.PayloadDays, 30}, {"min_free_mib", c.MinFreeMiB, 0}} {
		if x.value < x.lo || x.value > 10_000_000 {
			r.Wrong(x.key, "is %d, but must be at least %d", x.value, x.lo)
		}
	}
}

// tidyEvery is how often it is looked what may go; shortest is how long everything
// stays, whatever the disk says.
const (
	tidyEvery = time.Hour
	shortest  = 24 * time.Hour
)

func (a *app) tidyLoop(ctx context.Context) error {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		if err := a.tidy(ctx, time.Now(), doctor.DiskOf); err != nil && ctx.Err() == nil {
			a.log.Error().Err(err).Msg("old copies not removed; tried again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// tidy removes what has been kept long enough, and writes the lists of hashes.
func (a *app) tidy(ctx context.Context, now time.Time, disk func(string) (doctor.Disk, error)) error {
	c := a.cfg.Retention
	spool, payload := time.Duration(c.SpoolDays)*shortest, time.Duration(c.PayloadDays)*shortest
	short := false
	if d, err := disk(a.cfg.Ledger.Path); err == nil && d.Free>>20 < uint64(c.MinFreeMiB) {
		spool, payload, short = shortest, shortest, true
	}
	spooled, err := a.ledger.SpoolDone(ctx, now.Add(-spool))
	errs := []error{err}
	n, err := remove(a.spool, spooled, now)
	errs = append(errs, err)
	blobs, err := a.ledger.BlobsDone(ctx, now.Add(-payload))
	errs = append(errs, err)
	m, err := remove(a.blobs, blobs, now)
	errs = append(errs, err)
	// The documents are within the database, whose file does not shrink: a full
	// disk is no reason to lose them.
	docs, err := a.ledger.TrimDocuments(ctx, now.Add(-time.Duration(c.PayloadDays)*shortest))
	errs = append(errs, err)
	answers, err := a.ledger.TrimAnswers(ctx, now.Add(-time.Duration(c.PayloadDays)*shortest))
	errs = append(errs, err)
	m += int(answers)
	if n+m+int(docs) > 0 {
		a.log.Info().Int("exports", n).Int("answers", m).Int64("contents", docs).Bool("disk_short", short).Msg("old copies removed")
	}
	if c.HashList {
		errs = append(errs, a.writeHashLists(ctx, now))
	}
	return errors.Join(errs...)
}

func remove(s *durable.Store, hashes []string, now time.Time) (n int, err error) {
	for _, sha := range hashes {
		gone, err := s.RemoveUntouched(sha, now.Add(-shortest))
		if err != nil {
			return n, err
		}
		if gone {
			n++
		}
	}
	return n, nil
}

// hashListFact is the last month whose list a place has for good.
func hashListFact(place string) string { return "retention.hashes." + place }

// writeHashLists writes the list of the month that ended, once.
func (a *app) writeHashLists(ctx context.Context, now time.Time) error {
	zone := a.cfg.location()
	to := time.Date(now.In(zone).Year(), now.In(zone).Month(), 1, 0, 0, 0, 0, zone)
	month := to.AddDate(0, -1, 0).Format("2006-01")
	var errs []error
	for _, place := range a.resultPlaces() {
		done, err := a.ledger.Get(ctx, hashListFact(place))
		if err != nil || done >= month {
			errs = append(errs, err)
			continue
		}
		if err := a.writeHashList(ctx, place, to.AddDate(0, -1, 0), to); err != nil {
			errs = append(errs, fmt.Errorf("write list of hashes of %s: %w", month, err))
			continue
		}
		errs = append(errs, a.ledger.Put(ctx, hashListFact(place), month))
	}
	return errors.Join(errs...)
}

// resultPlaces are the companies, and "" where a drop serves several.
func (a *app) resultPlaces() []string {
	places := a.cfg.ids()
	for _, d := range a.cfg.Drops {
		if d.Company == "" {
			return append(places, "")
		}
	}
	return places
}

// words of the list, for people.
type hashWords struct {
	file, sent, received string
	head                 []string
}

func hashWordsOf(lang string) hashWords {
	if lang == "fr" {
		return hashWords{"empreintes", "envoi archivé", "facture reçue", []string{"date", "nature", "nom", "sha256", "emplacement"}}
	}
	return hashWords{"hashes", "archived export", "received invoice", []string{"date", "kind", "name", "sha256", "where"}}
}

// writeHashList puts <archive>/empreintes_2026-10.csv in place, whole. A month in
// which nothing came has none.
func (a *app) writeHashList(ctx context.Context, place string, from, to time.Time) error {
	words := hashWordsOf(a.cfg.Language)
	var b bytes.Buffer
	rows := results.NewRows(&b, results.Dialect{Encoding: results.UTF8BOM, Delimiter: ";", Decimal: ","})
	rows.Row(words.head...)
	n := 0
	for k, err := range a.ledger.KeptIn(ctx, place, from, to) {
		if err != nil {
			return err
		}
		n++
		rows.Row(k.At.In(a.cfg.location()).Format(time.RFC3339), kindOf(k, words), k.Name, k.SHA256, k.Where)
	}
	if err := rows.Flush(); err != nil || n == 0 {
		return err
	}
	archive, err := a.places.results(a.cfg.tree(place, a.cfg.Folders.Archive))
	if err != nil {
		return err
	}
	return archive.Publish(ctx, words.file+"_"+from.Format("2006-01")+".csv", &b)
}

func kindOf(k ledger.Kept, w hashWords) string {
	if k.Received {
		return w.received
	}
	return w.sent
}
