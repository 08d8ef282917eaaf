package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"einvoice/cmd/einvoice/doctor"
	"einvoice/connector/alarm"
	"einvoice/connector/ledger"
	"einvoice/connector/setting"
	"einvoice/outbox"
)

// watchEvery is how often the daemon looks for what needs a person.
const watchEvery = 30 * time.Second

func (a *app) openAlarms(context.Context) error {
	channels := []alarm.Channel{alarm.Log{Log: a.log}}
	if len(a.cfg.Alarm.MailTo) > 0 {
		host, err := os.Hostname()
		if err != nil {
			host = "einvoice"
		}
		channels = append(channels, alarm.Mail{Server: a.cfg.Mail, To: a.cfg.Alarm.MailTo, Prefix: "[einvoice " + environment(a.cfg) + " " + host + "] "})
	}
	if a.cfg.Alarm.Webhook != "" {
		channels = append(channels, alarm.Webhook{URL: a.cfg.Alarm.Webhook})
	}
	a.alarms = alarm.New(a.ledger, a.cfg.lang(), time.Now, channels...)
	return nil
}

// watchLoop raises and clears alarms, and writes the status pages, until ctx
// ends.
func (a *app) watchLoop(ctx context.Context) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		now := time.Now()
		a.lookAround(ctx, now)
		a.writePages(ctx, now)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// lookAround looks once. What it cannot find out is told once, and is no alarm;
// nor is an alarm over that it cannot look into.
func (a *app) lookAround(ctx context.Context, now time.Time) {
	wrong, err := a.wrong(ctx, now)
	if ctx.Err() != nil {
		return
	}
	a.said.say(a.log, "watch", err, "cannot look for what needs a person")
	if err != nil {
		wrong = append(wrong, a.up(ctx)...)
	}
	err = a.alarms.Update(ctx, wrong)
	if ctx.Err() == nil {
		a.said.say(a.log, "alarms", err, "alarm not said; trying again")
	}
}

// up lists what was wrong when it could be seen; nothing while the board itself
// cannot be read, for then it says nothing either.
func (a *app) up(ctx context.Context) (all []alarm.Condition) {
	alarms, _ := a.alarms.Up(ctx)
	for _, al := range alarms {
		all = append(all, al.Condition)
	}
	return all
}

// wrong lists what is wrong now.
func (a *app) wrong(ctx context.Context, now time.Time) (all []alarm.Condition, err error) {
	var errs []error
	for _, look := range []func(context.Context, time.Time) ([]alarm.Condition, error){
		a.companiesWrong, a.dropsSilent, a.placesAway, a.disksFull, a.tokenEnding, a.callbacksSilent,
	} {
		found, err := look(ctx, now)
		all, errs = append(all, found...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// companiesWrong finds stopped lanes and invoices that wait for a person.
func (a *app) companiesWrong(ctx context.Context, _ time.Time) (all []alarm.Condition, err error) {
	figures, err := a.ledger.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range a.cfg.Companies {
		why, err := a.ledger.Get(ctx, outbox.StoppedFact(c.ID))
		if err != nil {
			return all, err
		}
		if why != "" {
			all = append(all, alarm.Condition{Kind: alarm.LaneStopped, Subject: c.ID, Detail: why})
		}
		i := slices.IndexFunc(figures, func(f ledger.Figures) bool { return f.Company == c.ID })
		if i >= 0 && figures[i].States[ledger.Held]+figures[i].ToCheck > 0 {
			all = append(all, alarm.Condition{Kind: alarm.Held, Subject: c.ID, Detail: fmt.Sprint(figures[i].States[ledger.Held] + figures[i].ToCheck)})
		}
	}
	return all, nil
}

// takesSeen is how many exports of a drop make its rhythm.
const takesSeen = 1000

// takesOf lists when a drop's exports were taken. Of many it takes ever fewer, till
// they reach back far enough: the last thousand of a busy drop know no weekend.
func (a *app) takesOf(ctx context.Context, drop string) ([]time.Time, error) {
	for every := 1; ; every *= 2 {
		taken, err := a.ledger.TakenIn(ctx, drop, takesSeen, every)
		if err != nil || len(taken) < takesSeen || taken[len(taken)-1].Sub(taken[0]) >= alarm.Reach {
			return taken, err
		}
	}
}

func (a *app) dropsSilent(ctx context.Context, now time.Time) (all []alarm.Condition, err error) {
	for _, d := range a.cfg.Drops {
		taken, err := a.takesOf(ctx, d.Name)
		if err != nil {
			return all, err
		}
		if len(taken) == 0 {
			continue
		}
		last := taken[len(taken)-1]
		silent := alarm.Silent(taken, now)
		if most := a.cfg.Alarm.NoExport.Std(); most > 0 {
			silent = now.Sub(last) > most
		}
		if silent {
			all = append(all, alarm.Condition{Kind: alarm.NoExport, Subject: d.Name, Detail: last.In(a.cfg.location()).Format(time.DateTime)})
		}
	}
	return all, nil
}

func (a *app) placesAway(context.Context, time.Time) (all []alarm.Condition, err error) {
	for _, name := range a.outbox.Unserved() {
		all = append(all, alarm.Condition{Kind: alarm.PlaceAway, Subject: name})
	}
	for _, b := range a.publisher.Blocked() {
		all = append(all, alarm.Condition{Kind: alarm.PlaceAway, Subject: b.Place + "/" + string(b.Folder)})
	}
	return all, nil
}

// disksFull looks at the ledger's disk and at those of the local folders.
func (a *app) disksFull(context.Context, time.Time) (all []alarm.Condition, err error) {
	if a.cfg.Alarm.DiskFree == 0 {
		return nil, nil
	}
	for _, dir := range append([]string{a.cfg.Ledger.Path}, local(a.cfg.peopleFolders())...) {
		disk, err := doctor.DiskOf(dir)
		if err == nil && disk.Free < uint64(a.cfg.Alarm.DiskFree)<<20 {
			all = append(all, alarm.Condition{Kind: alarm.Disk, Subject: dir, Detail: fmt.Sprintf("%d MiB", disk.Free>>20)})
		}
	}
	return all, nil
}

func (a *app) tokenEnding(_ context.Context, now time.Time) ([]alarm.Condition, error) {
	end := tokenEnd(a.cfg)
	if end.IsZero() || end.Sub(now) > time.Duration(a.cfg.Alarm.TokenDays)*24*time.Hour {
		return nil, nil
	}
	return []alarm.Condition{{Kind: alarm.Token, Subject: a.cfg.API.BaseURL, Detail: end.Format(time.DateOnly)}}, nil
}

// tokenEnd is when the token expires: by what it says itself, where it is a JSON
// Web Token, else by the configuration; zero for unknown.
func tokenEnd(cfg *Config) time.Time {
	text := os.Getenv(cfg.API.TokenEnv)
	if data, err := os.ReadFile(cfg.API.TokenFile); cfg.API.TokenFile != "" && err == nil {
		text = string(setting.Text(data))
	}
	if parts := strings.Split(strings.TrimSpace(text), "."); len(parts) == 3 {
		var claims struct {
			Exp int64 `json:"exp"`
		}
		body, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err == nil && json.Unmarshal(body, &claims) == nil && claims.Exp > 0 {
			return time.Unix(claims.Exp, 0)
		}
	}
	end, err := time.ParseInLocation(time.DateOnly, cfg.Alarm.TokenExpires, cfg.location())
	if err != nil {
		return time.Time{}
	}
	return end
}

// callbacksSilent finds companies whose statuses change although nobody calls.
func (a *app) callbacksSilent(ctx context.Context, now time.Time) (all []alarm.Condition, err error) {
	if !a.cfg.Inbox.Callback.Enabled {
		return nil, nil
	}
	since := now.Add(-a.cfg.Alarm.CallbackSilence.Std())
	for _, c := range a.cfg.Companies {
		last, err := a.ledger.LastCallback(ctx, c.ID)
		if err != nil {
			return all, err
		}
		if last.After(since) {
			continue
		}
		n, err := a.ledger.StatusesSince(ctx, c.ID, since)
		if err != nil {
			return all, err
		}
		if n > 0 {
			all = append(all, alarm.Condition{Kind: alarm.CallbackSilence, Subject: c.ID, Detail: last.In(a.cfg.location()).Format(time.DateTime)})
		}
	}
	return all, nil
}
