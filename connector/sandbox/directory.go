package sandbox

import (
	"cmp"
	"fmt"
	"strings"
)

// listed is a company of the sandbox's own directory. All are invented.
type listed struct {
	name    string
	address address
	public  bool // a public body: it answers itself, and its invoices stay SENT until it does
}

// lookUp finds an invented company. Some are named after how they treat an
// invoice: their name chooses the scenario.
func lookUp(siren string) (listed, bool) {
	at := func(name, street, zip, city string) listed {
		return listed{name: name, address: address{street, zip, city, "FR"}}
	}
	town := at("Commune d'Exempleville", "1 place de la Mairie", "35999", "Exempleville")
	town.public = true
	all := map[string]listed{
		"100000009": at("Atelier Témoin SARL", "12 rue des Essais", "75011", "Paris"),
		"200000008": at("Menuiserie Exemple SAS", "4 chemin du Rabot", "44000", "Nantes"),
		"300000007": at("Refuse Tout SAS", "9 impasse du Non", "13001", "Marseille"),
		"400000006": at("Litige et Fils SARL", "2 rue de la Chicane", "33000", "Bordeaux"),
		"500000005": at("Paye Comptant SA", "5 avenue du Trésor", "67000", "Strasbourg"),
		"600000004": at("Rejet Systématique SARL", "8 rue du Retour", "59000", "Lille"),
		"700000003": at("Coincé Logistique SAS", "3 quai des Bouchons", "76600", "Le Havre"),
		"800000002": town,
		"900000001": at("Injoignable SARL", "lieu-dit Sans Réseau", "48999", "Loin"),
		"910000009": at("Tardif et Cie", "11 boulevard du Lendemain", "31000", "Toulouse"),
	}
	c, known := all[siren]
	return c, known
}

// invent makes up the company of any other SIREN, always the same.
func invent(siren string) listed {
	trades := []string{"Ateliers", "Comptoirs", "Établissements", "Maison", "Transports", "Garages", "Jardins"}
	names := []string{"Duvallon", "Martelier", "Perrechaud", "Lormeau", "Sévignon", "Quintard", "Boisfleury"}
	cities := []string{"Amiens", "Brest", "Colmar", "Dijon", "Évreux"}
	n := mod97(siren)
	return listed{
		name:    fmt.Sprintf("%s %s SAS", trades[n%len(trades)], names[n/len(trades)%len(names)]),
		address: address{fmt.Sprintf("%d rue de l'Invention", 1+n), fmt.Sprintf("%d000", 10+n%80), cities[n%len(cities)], "FR"},
	}
}

// complete adds what the directory knows to what was posted.
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
	if c, known := lookUp(id[:9]); known {
		full.Name = cmp.Or(p.Name, c.name)
		full.VATID = text(cmp.Or(p.VATID, vatID(id[:9])))
		if full.Address == nil {
			full.Address = &c.address
		}
	}
	return full
}

// text is null for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// fold makes words comparable: upper case, without the accents of French.
func fold(s string) string {
	return strings.NewReplacer("É", "E", "È", "E", "Ê", "E", "À", "A", "Ç", "C").Replace(strings.ToUpper(s))
}
