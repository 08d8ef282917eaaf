package inbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"einvoice/connector/ledger"
)

// TestARegisterOfAWholeMonth writes a month's register, workbook and twin, from
// the ledger. EINVOICE_REGISTER is the number of rows: 10,000 may take 5 s.
func TestARegisterOfAWholeMonth(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("EINVOICE_REGISTER"))
	if err != nil {
		count = 300
	}
	w := newWorld(t)
	w.deliverRows(count)
	start := time.Now()
	w.must(w.writeRegister(w.ctx, month{acme.ID, "2026-05"}))
	took := time.Since(start)
	text := w.read("registre-2026-05.csv")
	if got := strings.Count(text, ";S-"); got != count {
		t.Errorf("%d rows for %d invoices", got, count)
	}
	info, err := os.Stat(filepath.Join(w.root, acme.ID, "registre-2026-05.xlsx"))
	w.must(err)
	t.Logf("%d rows in %s, workbook of %d KB", count, took.Round(time.Millisecond), info.Size()>>10)
	if count >= 10_000 && took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// deliverRows puts invoices into the ledger as delivered, without their files.
func (w *world) deliverRows(count int) {
	w.t.Helper()
	for i := range count {
		_, err := w.ledger.SeeReceived(w.ctx, acme.ID, fmt.Sprintf("in%05d", i))
		w.must(err)
	}
	rows, err := w.ledger.ReceivedIn(w.ctx, ledger.ReceivedSeen, count)
	w.must(err)
	numbers := make(chan int)
	var all sync.WaitGroup
	for range 64 { // together: the ledger commits in groups
		all.Go(func() {
			for i := range numbers {
				if err := w.deliverRow(i, rows[i]); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	for i := range count {
		numbers <- i
	}
	close(numbers)
	all.Wait()
}

func (w *world) deliverRow(i int, r ledger.Received) error {
	id := r.APIID
	inv := supplied(id, fmt.Sprint("S-", i)).Invoice
	r.ReceivedAt, r.Supplier, r.SupplierID, r.Number, r.Type = w.clock, inv.Seller.Name, "100000009", inv.Number, inv.Type
	r.IssueDate, r.Gross, r.Currency, r.IBAN, r.Head = inv.IssueDate, inv.Totals.Gross, "EUR", inv.IBAN, inv
	for _, step := range []func() error{
		func() error { return w.ledger.Fetched(w.ctx, r) },
		func() error { return w.ledger.Built(w.ctx, r.ID, buildPrefix+id, "2026-05/"+id) },
		func() error { return w.ledger.Delivered(w.ctx, r.ID, "2026-05/"+id) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
