package outbox

import (
	"testing"

	"einvoice/connector"
)

// An export without SIREN may name its seller by the VAT number alone.
func TestASellerNamedByAnothersVATNumberIsNotTakenForOurs(t *testing.T) {
	ours := []connector.Company{{ID: "acme", FiscalID: "10000000900017", Name: "Acme", VATID: "FR15100000009"}}
	for vat, taken := range map[string]bool{
		"": true, "FR15100000009": true, "FRK7100000009": true, "BE0123456789": true, "FR44732829320": false,
	} {
		inv := connector.Invoice{Seller: connector.Party{VATID: vat}}
		adoptSeller(&inv, ours)
		if got := inv.Seller.FiscalID != ""; got != taken {
			t.Errorf("VAT number %q: sold by %+v", vat, inv.Seller)
		}
	}
	group := []connector.Company{{ID: "acme", FiscalID: "10000000900017", VATID: "FR44732829320"}}
	inv := connector.Invoice{Seller: connector.Party{VATID: "FR44732829320"}}
	if adoptSeller(&inv, group); inv.Seller.FiscalID == "" {
		t.Error("the number that our settings name is not taken for ours")
	}
}
