package inbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

// place decides the folder's final name, relative to root, with slashes. there
// is true when this very invoice stands there already: a ledger restored from
// a backup forgot that it was delivered.
func (in *Inbox) place(root string, r ledger.Received, promised names) (folder string, there bool, err error) {
	w := wordsOf(in.opt.Lang)
	dir := r.ReceivedAt.In(in.opt.Location).Format(monthLayout)
	if r.ToCheck {
		dir = path.Join(w.toCheck, dir)
	}
	room := pathMost - length(filepath.Join(root, dir)) - len("/") - insideMost
	most := min(max(room, nameLeast), nameMost)
	name := folderName(w, r, most)
	free := name
	for i := 1; i < 1000; i++ {
		at := filepath.Join(root, dir, free)
		_, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !promised[fold(at)]:
			return path.Join(dir, free), false, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", false, fmt.Errorf("choose folder: %w", err)
		case holds(at, r.APIID):
			return path.Join(dir, free), true, nil
		}
		free = withTail(name, r.APIID, i, most)
	}
	return "", false, fmt.Errorf("choose folder: a thousand folders are called %q", name)
}

// withTail tells two invoices of one name apart by the API id, and by a number
// after that.
func withTail(name, apiID string, i, most int) string {
	tail := " (" + safeName(apiID, nameLeast) + ")"
	if i > 1 {
		tail = fmt.Sprintf(" (%s-%d)", safeName(apiID, nameLeast), i)
	}
	return shorten(name, max(nameLeast/2, most-length(tail))) + tail
}

// folderName is what people sort and search by. The parts that only we control
// keep their place: a long supplier name is cut first, then the number.
func folderName(w words, r ledger.Received, most int) string {
	amount := strings.ReplaceAll(money(r.Gross, r.Currency), ".", w.decimal)
	tail := " " + safeName(amount+" "+r.Currency, 28)
	date := safeName(or(string(r.IssueDate), "0000-00-00"), 10)
	number := safeName(or(r.Number, w.unnumbered), 40)
	room := most - length(date) - length(tail) - 2
	number = shorten(number, max(8, room/2))
	supplier := shorten(safeName(or(r.Supplier, w.nobody), 60), max(4, room-length(number)))
	return safeName(date+" "+supplier+" "+number+tail, most)
}

func or(text, instead string) string {
	if strings.TrimSpace(text) == "" {
		return instead
	}
	return text
}

// money pads an amount to its currency's minor unit: 61.2 EUR is 61.20.
func money(a connector.Amount, currency string) string {
	d, ok := a.Get()
	if !ok {
		return ""
	}
	return d.Pad(connector.MinorUnit(currency)).String()
}

// holds tells whether a folder is the delivered one of an API id.
func holds(folder, apiID string) bool {
	f, err := os.Open(filepath.Join(folder, fileJSON))
	if err != nil {
		return false
	}
	defer f.Close()
	var doc struct {
		ID string `json:"id"`
	}
	return json.NewDecoder(f).Decode(&doc) == nil && doc.ID == apiID
}
