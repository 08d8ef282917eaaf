package main

import (
	"context"
	"time"

	"einvoice/cmd/einvoice/admin"
	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/alarm"
	"einvoice/outbox"
)

var _ admin.Source = (*app)(nil)

// Alive asks the ledger something small: its writer and its readers must answer.
func (a *app) Alive(ctx context.Context) error { return a.alive(ctx) }

// Causes say why invoices or answers do not move.
func (a *app) Causes(ctx context.Context) (causes []string, err error) {
	if err := a.alive(ctx); err != nil {
		return nil, err
	}
	wrong, err := a.wrong(ctx, time.Now())
	for _, c := range wrong {
		switch c.Kind {
		case alarm.LaneStopped, alarm.PlaceAway, alarm.Disk:
			title, _ := alarm.Words(a.cfg.lang(), alarm.Alarm{Condition: c}, false)
			if c.Detail != "" {
				title += ": " + c.Detail
			}
			causes = append(causes, title)
		}
	}
	return causes, err
}

// Figures are those of now.
func (a *app) Figures(ctx context.Context) (f admin.Figures, err error) {
	now := time.Now()
	f = admin.Figures{Invoices: map[[2]string]int{}, Received: map[[2]string]int{}, OldestDue: map[string]time.Duration{}, LastFile: map[string]time.Time{},
		Stopped: map[string]bool{}, DiskFree: map[string]uint64{}, Alarms: map[[2]string]int{}}
	all, err := a.ledger.Status(ctx)
	if err != nil {
		return f, err
	}
	for _, c := range all {
		for s, n := range c.States {
			f.Invoices[[2]string{c.Company, string(s)}] = n
		}
		for s, n := range c.Received {
			f.Received[[2]string{c.Company, string(s)}] = n
		}
		if f.OldestDue[c.Company] = 0; !c.OldestDue.IsZero() {
			f.OldestDue[c.Company] = now.Sub(c.OldestDue)
		}
		if !c.LastFile.IsZero() {
			f.LastFile[c.Company] = c.LastFile
		}
	}
	for _, c := range a.cfg.Companies {
		why, err := a.ledger.Get(ctx, outbox.StoppedFact(c.ID))
		if err != nil {
			return f, err
		}
		f.Stopped[c.ID] = why != ""
	}
	for _, dir := range append([]string{a.cfg.Ledger.Path}, local(a.cfg.peopleFolders())...) {
		if disk, err := doctor.DiskOf(dir); err == nil {
			f.DiskFree[dir] = disk.Free
		}
	}
	up, err := a.alarms.Up(ctx)
	for _, al := range up {
		f.Alarms[[2]string{string(al.Kind), al.Subject}] = 1
	}
	if err == nil {
		f.GetsToday, err = a.ledger.Spend(ctx, now.In(a.cfg.location()).Format(time.DateOnly), 0)
	}
	if err == nil {
		f.Owed, err = a.ledger.Owed(ctx)
	}
	return f, err
}
