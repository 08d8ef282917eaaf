package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// sights is what the ERP and the accountant find in the end: by name, with what
// differs between two good runs (times, ids, how events fell into files) left out.
type sights map[string]string

// look reads the folders of people.
func (r *faultRig) look() (s sights, wrong []string) {
	s = sights{}
	seqs := map[int]int{}
	for _, folder := range []string{"drop", "results", "refused", "to-check", "to_check", "archive", "inbox"} {
		root, err := filepath.EvalSymlinks(filepath.Join(r.people, folder))
		if errors.Is(err, fs.ErrNotExist) && r.people != r.dir {
			root, err = filepath.Join(r.dir, folder), nil
		}
		if err != nil {
			continue
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && strings.HasPrefix(d.Name(), ".") && !d.IsDir() {
				return nil // hidden: nobody sees it
			}
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(root, path)
			name = folder + "/" + filepath.ToSlash(name)
			if d.IsDir() {
				if strings.HasPrefix(d.Name(), ".") {
					wrong = append(wrong, "left behind: "+name)
					return fs.SkipDir
				}
				return nil
			}
			data, err := os.ReadFile(path)
			if err == nil {
				wrong = append(wrong, s.add(name, data, seqs)...)
			}
			return err
		})
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	for n := range len(seqs) {
		if seqs[n+1] != 1 {
			wrong = append(wrong, fmt.Sprintf("number %d of %d is there %d times", n+1, len(seqs), seqs[n+1]))
		}
	}
	return s, wrong
}

var (
	stampRE = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?`)
	bulkRE  = regexp.MustCompile(`[A-Za-z0-9+/=]{400,}`) // an attachment, which holds times and ids
	hexRE   = regexp.MustCompile(`\b[0-9a-f]{24}\b|\b[0-9a-f]{64}\b`)
	takeRE  = regexp.MustCompile(`\.\d{6}\.`)
	takenRE = regexp.MustCompile(`(?m)^take;\d{6}`) // files that come at once are taken in any order
)

// add notes one file. The lines of acknowledgements and status files have their
// running numbers counted.
func (s sights) add(name string, data []byte, seqs map[int]int) (wrong []string) {
	plain := takeRE.ReplaceAllString(name, ".N.")
	switch {
	case strings.HasSuffix(name, ".html"): // a page about now
		return nil
	case strings.HasPrefix(name, "results/status_") && strings.HasSuffix(name, ".csv"):
		return s.status(name, data, seqs)
	case strings.HasSuffix(name, ".ack.csv"):
		return s.ack(plain, name, data, seqs)
	case strings.HasSuffix(name, ".ok"):
		whole := strings.Fields(string(data))
		if len(whole) != 2 {
			return []string{name + " vouches for nothing"}
		}
		return nil
	case strings.HasSuffix(name, ".xlsx"), strings.HasSuffix(name, ".pdf"):
		if len(data) < 100 {
			wrong = append(wrong, name+" is cut")
		}
		data = nil // made of times and ids inside
	}
	if strings.HasSuffix(name, ".json") && !json.Valid(data) {
		wrong = append(wrong, name+" is cut")
	}
	text := hexRE.ReplaceAllString(stampRE.ReplaceAllString(bulkRE.ReplaceAllString(string(data), "BULK"), "TIME"), "ID")
	if _, twice := s[plain]; twice {
		wrong = append(wrong, "twice: "+plain)
	}
	text = takenRE.ReplaceAllString(text, "take;N")
	if strings.HasPrefix(name, "inbox/") && strings.HasSuffix(name, ".csv") { // a register has them as they came
		lines := strings.Split(text, "\n")
		sort.Strings(lines)
		text = strings.Join(lines, "\n")
	}
	if len(text) > 4000 {
		text = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:12]
	}
	s[plain] = text
	return wrong
}

func table(data []byte) (rows []map[string]string, err error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("no table: %w", err)
	}
	for _, rec := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[column] = rec[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// ack notes which verdict each invoice of an export got.
func (s sights) ack(plain, name string, data []byte, seqs map[int]int) (wrong []string) {
	rows, err := table(data)
	if err != nil {
		return []string{name + ": " + err.Error()}
	}
	for _, row := range rows {
		seq, _ := strconv.Atoi(row["seq"])
		seqs[seq]++
		key := plain + " " + row["document_number"]
		if s[key] != "" {
			wrong = append(wrong, "two verdicts: "+key)
		}
		s[key] = row["verdict"] + " " + row["code"]
	}
	return wrong
}

// status notes the last state of each invoice; that of the file's own name must
// be that of its first line.
func (s sights) status(name string, data []byte, seqs map[int]int) (wrong []string) {
	rows, err := table(data)
	if err != nil {
		return []string{name + ": " + err.Error()}
	}
	for i, row := range rows {
		seq, _ := strconv.Atoi(row["seq"])
		seqs[seq]++
		if i == 0 && !strings.HasSuffix(name, fmt.Sprintf("_%s.csv", row["seq"])) && !strings.Contains(name, "_"+fmt.Sprintf("%0*d", len(lastPart(name)), seq)) {
			wrong = append(wrong, fmt.Sprintf("%s begins with %d", name, seq))
		}
		if row["state"] != "" {
			key := "status " + row["document_number"]
			if old, _ := strconv.Atoi(s[key+" seq"]); seq > old {
				s[key], s[key+" seq"] = row["state"]+" "+row["external_status"], row["seq"]
			}
		}
	}
	return wrong
}

func lastPart(name string) string {
	name = strings.TrimSuffix(name, ".csv")
	return name[strings.LastIndex(name, "_")+1:]
}

// differences compares with a run in which nothing failed.
func (s sights) differences(golden sights) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(golden)) {
		if strings.HasSuffix(name, " seq") {
			continue
		}
		if got := s[name]; got != golden[name] {
			all = append(all, fmt.Sprintf("%s is %q, want %q", name, got, golden[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if _, known := golden[name]; !known && !strings.HasSuffix(name, " seq") {
			all = append(all, "too many: "+name)
		}
	}
	return all
}

// books compares with the platform's.
func (r *faultRig) books() (lost, twice int, wrong []string) {
	want := r.w.sentNumbers()
	for _, d := range r.box.Books().Documents {
		if len(d.IDs) > 1 {
			twice++
			wrong = append(wrong, fmt.Sprintf("%s was sent %d times", d.Number, len(d.IDs)))
		}
		if len(d.IDs) > 0 && !want[d.Number] {
			wrong = append(wrong, d.Number+" should not have been sent")
		}
		if len(d.IDs) > 0 {
			delete(want, d.Number)
		}
	}
	for number := range want {
		lost++
		wrong = append(wrong, number+" was lost")
	}
	return lost, twice, wrong
}
