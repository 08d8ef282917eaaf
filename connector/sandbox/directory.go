package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Entry is a company of the sandbox's directory: what a fiscal id alone stands
// for, and how it is reached. All entries that come with the sandbox are invented.
type Entry struct {
	SIREN   string  `json:"siren"`
	Name    string  `json:"name"`
	VATID   string  `json:"vat_id,omitempty"`
	Address address `json:"address"`
	// Network is how invoices reach it: see networks.
	Network string `json:"network,omitempty"`
	Peppol  string `json:"peppol_id,omitempty"`
	// What a public body demands; without it the invoice is rejected.
	NeedsService    bool `json:"needs_service_code,omitempty"`
	NeedsCommitment bool `json:"needs_commitment_number,omitempty"`
	// Defaults for the invoices that it sends.
	Frame    string            `json:"billing_frame,omitempty"` // BT-23
	Mentions map[string]string `json:"mentions,omitempty"`      // by subject: PMT, PMD, AAB
}

// The networks of an entry. The page shows only the first.
const (
	networkFrench = "fr-dgfip"
	networkPeppol = "peppol"
	networkChorus = "chorus-pro"
	networkEmail  = "email"
	networkNone   = "none" // in no directory: e-mail, if there is an address
)

func (e Entry) public() bool { return e.Network == networkChorus }

// builtIn are the entries of a fresh sandbox. Some are named after how they
// treat an invoice: their name chooses the scenario.
func builtIn() map[string]Entry {
	all := map[string]Entry{}
	add := func(siren, name, street, zip, city, network string) {
		all[siren] = Entry{SIREN: siren, Name: name, VATID: vatID(siren), Address: address{street, zip, city, "FR"}, Network: network}
	}
	add("100000009", "Atelier Témoin SARL", "12 rue des Essais", "75011", "Paris", networkFrench)
	add("200000008", "Menuiserie Exemple SAS", "4 chemin du Rabot", "44000", "Nantes", networkFrench)
	add("300000007", "Refuse Tout SAS", "9 impasse du Non", "13001", "Marseille", networkFrench)
	add("400000006", "Litige et Fils SARL", "2 rue de la Chicane", "33000", "Bordeaux", networkFrench)
	add("500000005", "Paye Comptant SA", "5 avenue du Trésor", "67000", "Strasbourg", networkFrench)
	add("600000004", "Rejet Systématique SARL", "8 rue du Retour", "59000", "Lille", networkFrench)
	add("700000003", "Coincé Logistique SAS", "3 quai des Bouchons", "76600", "Le Havre", networkFrench)
	add("800000002", "Commune d'Exempleville", "1 place de la Mairie", "35999", "Exempleville", networkChorus)
	add("810000000", "Hôpital de la Rigueur", "7 allée des Formulaires", "69000", "Lyon", networkChorus)
	add("900000001", "Injoignable SARL", "lieu-dit Sans Réseau", "48999", "Loin", networkNone)
	add("910000009", "Tardif et Cie", "11 boulevard du Lendemain", "31000", "Toulouse", networkFrench)
	add("920000007", "Peppol Express SAS", "6 rue des Quatre-Coins", "74000", "Annecy", networkPeppol)
	strict := all["810000000"]
	strict.NeedsService, strict.NeedsCommitment = true, true
	all["810000000"] = strict
	abroad := all["920000007"]
	abroad.Peppol = "0225:920000007"
	all["920000007"] = abroad
	return all
}

// lookUp finds a company. It needs no lock: the directory is replaced, never changed.
func (s *Sandbox) lookUp(siren string) (Entry, bool) {
	e, known := (*s.directory.Load())[siren]
	return e, known
}

// know is what the directory says of a fiscal id: its entry, one made up of its
// SIREN, or nothing.
func (s *Sandbox) know(fiscalID string) Entry {
	key := siren(fiscalID)
	if e, known := s.lookUp(key); known {
		return e
	}
	if !plausibleFiscalID(digits(fiscalID)) {
		return Entry{Network: networkNone}
	}
	return invent(key)
}

// invent makes up the company of any other SIREN, always the same.
func invent(siren string) Entry {
	trades := []string{"Ateliers", "Comptoirs", "Établissements", "Maison", "Transports", "Garages", "Jardins"}
	names := []string{"Duvallon", "Martelier", "Perrechaud", "Lormeau", "Sévignon", "Quintard", "Boisfleury"}
	cities := []string{"Amiens", "Brest", "Colmar", "Dijon", "Évreux"}
	n := mod97(siren)
	return Entry{
		SIREN: siren, VATID: vatID(siren), Network: networkFrench,
		Name:    fmt.Sprintf("%s %s SAS", trades[n%len(trades)], names[n/len(trades)%len(names)]),
		Address: address{fmt.Sprintf("%d rue de l'Invention", 1+n), fmt.Sprintf("%d000", 10+n%80), cities[n%len(cities)], "FR"},
	}
}

// showDirectory is GET /sandbox/directory.
func (s *Sandbox) showDirectory(w http.ResponseWriter, _ *http.Request) {
	all := *s.directory.Load()
	list := make([]Entry, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[key])
	}
	writeJSON(w, http.StatusOK, list)
}

// editDirectory is PUT /sandbox/directory/{siren}: a new entry, or another one.
func (s *Sandbox) editDirectory(w http.ResponseWriter, r *http.Request) {
	var e Entry
	if !readJSON(w, r, &e) {
		return
	}
	e.SIREN = r.PathValue("siren")
	if err := s.SetEntry(e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e, _ = s.lookUp(e.SIREN)
	writeJSON(w, http.StatusOK, e)
}

// SetEntry puts a company into the directory. The error names the field.
func (s *Sandbox) SetEntry(e Entry) error {
	if !numeric(e.SIREN) || len(e.SIREN) != 9 {
		return fmt.Errorf("siren: %q has not nine digits", e.SIREN)
	}
	known := []string{networkFrench, networkPeppol, networkChorus, networkEmail, networkNone}
	if err := choose(&e.Network, known); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	model := invent(e.SIREN)
	e.Name, e.VATID = cmp.Or(e.Name, model.Name), cmp.Or(e.VATID, model.VATID)
	if e.Address == (address{}) {
		e.Address = model.Address
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setEntry(e)
	s.remember(entry{Listed: &e})
	return nil
}

// setEntry replaces the directory by one with the entry. The caller holds mu,
// or nobody else knows the sandbox yet.
func (s *Sandbox) setEntry(e Entry) {
	next := maps.Clone(*s.directory.Load())
	next[e.SIREN] = e
	s.directory.Store(&next)
}

// complete reads what a fiscal id itself says into what was posted.
func (p postedParty) complete() party {
	id := digits(p.FiscalID)
	full := party{Name: p.Name, FiscalID: text(p.FiscalID), VATID: text(p.VATID), Email: text(p.Email), Address: p.Address}
	if !plausibleFiscalID(id) {
		return full
	}
	full.SIREN = text(id[:9])
	if len(id) == 14 {
		full.SIRET = text(id)
	}
	return full
}

// fill adds what the directory knows. It knows nothing of made-up companies.
func (s *Sandbox) fill(p *party) {
	if p.SIREN == nil {
		return
	}
	if e, known := s.lookUp(*p.SIREN); known {
		p.Name = cmp.Or(p.Name, e.Name)
		p.VATID = cmp.Or(p.VATID, text(e.VATID))
		p.Address = cmp.Or(p.Address, &e.Address)
	}
}

// text is null for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// unaccent drops the accents of French capitals.
var unaccent = strings.NewReplacer("É", "E", "È", "E", "Ê", "E", "À", "A", "Ç", "C")

// fold makes words comparable: upper case, without accents.
func fold(s string) string { return unaccent.Replace(strings.ToUpper(s)) }

// readDirectory adds the entries of a file.
func (s *Sandbox) readDirectory(path string) error {
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var list []Entry
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, e := range list {
		if err := s.SetEntry(e); err != nil {
			return fmt.Errorf("%s: entry %d: %w", path, i+1, err)
		}
	}
	return nil
}
