package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"einvoice/connector"
	"einvoice/connector/ledger"
)

const (
	layoutFolder = "folder" // one folder per invoice
	layoutFlat   = "flat"   // the files of all invoices of a month side by side

	flatApart  = "quarantine" // of a month in the flat layout
	flatMost   = 70           // characters that the files of an invoice have in common there
	flatInside = 40           // and of what the supplier named
)

// insideMost bounds the names of attachments, whatever room the path leaves.
func (t tree) insideMost() int {
	if t.flat {
		return flatInside
	}
	return nameMost
}

// place decides the final name, r.Folder: a folder, or what the files in the
// flat layout have in common. there is true when this very invoice stands there
// already: a ledger restored from a backup forgot that it was delivered.
func (in *Inbox) place(ctx context.Context, t tree, r *ledger.Received, promised names) (there bool, err error) {
	w := wordsOf(in.opt.Lang)
	dir := r.ReceivedAt.In(in.opt.Location).Format(monthLayout)
	if r.ToCheck {
		dir = path.Join(w.toCheck, dir)
	}
	most := nameMost
	if t.flat {
		most = flatMost
	}
	room := pathMost - t.length(dir) - len("/") - insideMost
	most = min(max(room, nameLeast), most)
	name := folderName(w, *r, most)
	free := name
	for i := 1; i < 1000; i++ {
		at := path.Join(dir, free)
		taken, err := t.taken(ctx, at)
		switch {
		case err != nil:
			return false, fmt.Errorf("choose folder: %w", err)
		case !taken && !promised[promise(r.Company, at)]:
			r.Folder = at
			return false, nil
		case taken && t.holds(ctx, at, r.APIID):
			r.Folder = at
			if t.flat {
				r.Folder += ".json"
			}
			return true, nil
		}
		free = withTail(name, r.APIID, i, most)
	}
	return false, fmt.Errorf("choose folder: a thousand folders are called %q", name)
}

// taken tells whether another invoice, or somebody, uses a name.
func (t tree) taken(ctx context.Context, at string) (bool, error) {
	if !t.flat {
		return t.Has(ctx, at)
	}
	for _, ext := range []string{".json", ".pdf", ".csv"} {
		if taken, err := t.Has(ctx, at+ext); taken || err != nil {
			return taken, err
		}
	}
	return false, nil
}

// holds tells whether what stands at a name is the invoice of an API id.
func (t tree) holds(ctx context.Context, at, apiID string) bool {
	name := path.Join(at, fileJSON)
	if t.flat {
		name = at + path.Ext(fileJSON)
	}
	f, err := t.Open(ctx, name)
	if err != nil {
		return false
	}
	defer f.Close()
	var doc struct {
		ID string `json:"id"`
	}
	return json.NewDecoder(f).Decode(&doc) == nil && doc.ID == apiID
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
