package sandbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"einvoice/connector/cii"
	"einvoice/connector/sandbox/facturx"
)

// mark stands on every readable page.
const mark = "BAC À SABLE : document sans valeur légale"

// regulated makes the document that the platform transmits, as CII data. It is
// made anew each time it is read, always the same, so that it costs nothing
// while nobody asks.
func (s *Sandbox) regulated(r record) (cii.Document, error) {
	p, err := parse(r.Raw)
	if err != nil {
		return cii.Document{}, fmt.Errorf("make document of %s: %w", r.ID, err)
	}
	inv, err := normalise(p)
	if err != nil {
		return cii.Document{}, fmt.Errorf("make document of %s: %w", r.ID, err)
	}
	sellerKnown, buyerKnown := s.know(p.Sender.FiscalID), s.know(p.Recipient.FiscalID)
	d := cii.Document{
		Frame: cmp.Or(sellerKnown.Frame, "M1"), Number: inv.Number, Type: inv.Type, IssueDate: dayOf(inv.IssueDate), Currency: inv.Currency,
		Notes: sellerKnown.mentions(), Seller: sellerKnown.party(inv.Sender), Buyer: buyerKnown.party(inv.Recipient),
		Net: inv.Net.Decimal, Gross: inv.Gross.Decimal, Payable: inv.Gross.Decimal, LineTotal: inv.Net.Decimal,
	}
	if inv.Service != nil {
		d.Reference = *inv.Service
	}
	if inv.Commitment != nil {
		d.Order = *inv.Commitment
	}
	setPayment(&d, inv)
	d.Attached = supporting(inv.Attached)
	for _, l := range inv.Lines {
		d.Lines = append(d.Lines, l.item())
	}
	for _, t := range inv.Subtotals {
		d.Taxes = append(d.Taxes, t.breakdown())
	}
	settleCents(&d)
	obey(&d)
	return d, nil
}

// document is the file of an invoice: "xml" for the CII data, "pdf" for Factur-X.
func (s *Sandbox) document(r record, kind string, pad int) ([]byte, error) {
	d, err := s.regulated(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if kind == "xml" {
		err = cii.Write(&b, d)
	} else {
		err = facturx.Write(&b, d, facturx.Options{Made: r.Created, Mark: mark, Pad: pad})
	}
	return b.Bytes(), err
}

// facturX is an invoice's file as the recipient gets it, beside what the
// supplier attached.
func (s *Sandbox) facturX(r record) (attachment, error) {
	file, err := s.document(r, "pdf", r.Pad)
	if err != nil {
		return attachment{}, err
	}
	name := cmp.Or(r.FileName, "facture-"+safeName(r.Number)+".pdf")
	return attachment{
		Document: base64.StdEncoding.EncodeToString(file), MIMEType: "application/pdf", Filename: name,
		Description: text("Facture"), DocumentID: text(r.Number),
	}, nil
}

func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '_'
	}, s)
}

// download is GET /sandbox/invoices/{id}/document.{xml,pdf}.
func (s *Sandbox) download(w http.ResponseWriter, r *http.Request, kind string) {
	s.mu.Lock()
	rec := s.store.byID[r.PathValue("id")]
	if rec == nil {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	copied := *rec
	s.mu.Unlock()
	s.sendDocument(w, copied, kind)
}

func (s *Sandbox) sendDocument(w http.ResponseWriter, r record, kind string) {
	file, err := s.document(r, kind, r.Pad)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "facture-"+safeName(r.Number)+"."+kind))
	write(w, http.StatusOK, "application/"+kind, file)
}

func dayOf(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s) // checked when it was posted; else no date
	return t
}

// party is a party of the file, with what the directory knows where the invoice
// is silent.
func (e Entry) party(p party) cii.Party {
	c := cii.Party{Name: cmp.Or(p.Name, e.Name), SIREN: e.SIREN}
	if p.SIRET != nil {
		c.SIRET = *p.SIRET
	}
	if p.Email != nil {
		c.Email = *p.Email
	}
	if p.VATID != nil {
		c.VATID = strings.ToUpper(digits(*p.VATID))
	}
	c.VATID = cmp.Or(c.VATID, e.VATID)
	a := e.Address
	if p.Address != nil {
		a = *p.Address
	}
	c.Street, c.ZIP, c.City, c.Country = a.Street, a.Zip, a.City, strings.ToUpper(a.Country)
	if c.Country == "" && c.SIREN == "" && len(c.VATID) > 2 {
		c.Country = strings.Replace(c.VATID[:2], "EL", "GR", 1)
	}
	c.Country = cmp.Or(c.Country, "FR")
	switch {
	case c.SIREN != "":
		c.EndpointScheme, c.Endpoint = "0225", c.SIREN
	case c.Email != "":
		c.EndpointScheme, c.Endpoint = "EM", c.Email
	}
	return c
}

// mentions are the notes that French law wants on every invoice.
func (e Entry) mentions() []cii.Note {
	var notes []cii.Note
	for _, n := range [][2]string{
		{"PMT", "Indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 €."},
		{"PMD", "En cas de retard de paiement, pénalités au taux de trois fois le taux d'intérêt légal."},
		{"AAB", "Aucun escompte pour paiement anticipé."},
	} {
		notes = append(notes, cii.Note{Subject: n[0], Text: cmp.Or(e.Mentions[n[0]], n[1])})
	}
	return notes
}

// item turns a negative price into a negative quantity: BR-27 forbids the one
// and not the other, and the net amount is the same.
func (l line) item() cii.Line {
	price, quantity := l.UnitPrice.Decimal, l.Quantity.Decimal
	if price.IsNeg() {
		price, quantity = price.Neg(), quantity.Neg()
	}
	return cii.Line{Name: l.Description, Quantity: quantity, Unit: l.Unit, Price: price, Net: l.Net.Decimal,
		Category: categoryCode(l.Category, l.Rate.Decimal), Rate: l.Rate.Decimal}
}

func (t subtotal) breakdown() cii.Tax {
	c := categoryCode(t.Category, t.Rate.Decimal)
	reason, code := exemption(c)
	return cii.Tax{Category: c, Rate: t.Rate.Decimal, Taxable: t.Taxable.Decimal, Tax: t.Tax.Decimal, Reason: reason, Code: code}
}

// supporting are the attachments that a CII file may carry.
func supporting(files []attachment) []cii.Attachment {
	allowed := []string{"application/pdf", "image/png", "image/jpeg", "text/csv",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet"}
	described := []string{"RIB", "LISIBLE", "FEUILLE_DE_STYLE", "PJA", "BORDEREAU_SUIVI", "BON_LIVRAISON", "BON_COMMANDE", "ETAT_ACOMPTE"}
	var list []cii.Attachment
	for i, f := range files {
		content, err := base64.StdEncoding.DecodeString(f.Document)
		if err != nil || len(content) == 0 || f.Filename == "" || !slices.Contains(allowed, f.MIMEType) {
			continue
		}
		a := cii.Attachment{ID: fmt.Sprint(i + 1), Filename: f.Filename, MIME: f.MIMEType, Description: "DOCUMENT_ANNEXE", Content: content}
		if f.DocumentID != nil && *f.DocumentID != "" {
			a.ID = *f.DocumentID
		}
		if f.Description != nil && slices.Contains(described, *f.Description) {
			a.Description = *f.Description
		}
		list = append(list, a)
	}
	return list
}

// settleCents makes net and tax give the stated total where they miss it by no
// more than rounding line by line explains: the difference goes to the largest
// VAT amount, which the rules tolerate; sums they want exact.
func settleCents(d *cii.Document) {
	sum, largest := decimal.Zero, -1
	for i, t := range d.Taxes {
		sum = added(sum, t.Tax)
		if !t.Rate.IsZero() && (largest < 0 || t.Tax.CmpAbs(d.Taxes[largest].Tax) > 0) {
			largest = i
		}
	}
	missing := added(d.Gross, added(d.Net, sum).Neg())
	if largest >= 0 && missing.CmpAbs(decimal.MustNew(int64(len(d.Lines)), coin(d.Currency))) <= 0 {
		d.Taxes[largest].Tax = added(d.Taxes[largest].Tax, missing)
		sum = added(sum, missing)
	}
	d.Tax = sum
}

// added is a+b; amounts are bounded when they are read, so that a sum that
// overflows belongs to an invoice that is wrong anyway.
func added(a, b decimal.Decimal) decimal.Decimal {
	if c, err := a.Add(b); err == nil {
		return c
	}
	return a
}

// obey adds what single categories want.
func obey(d *cii.Document) {
	for _, t := range d.Taxes {
		switch t.Category {
		case "K": // BR-IC-11, BR-IC-12: the API carries neither, so the invoice's own day and country stand
			d.Delivered, d.ShipTo = d.IssueDate, d.Buyer.Country
		case "O": // BR-O-02 to BR-O-04
			d.Seller.VATID, d.Buyer.VATID = "", ""
		}
	}
}
