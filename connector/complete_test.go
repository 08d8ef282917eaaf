package connector

import "testing"

// printed is an invoice of two lines at one rate, as an ERP prints it.
func printed() *Invoice {
	line := Line{Quantity: MustAmount("1"), UnitPrice: MustAmount("0.13"), Rate: MustAmount("20")}
	return &Invoice{Currency: "EUR", Lines: []Line{line, line}}
}

func TestWhatIsLeftOutIsDerived(t *testing.T) {
	inv := printed()
	if err := inv.Complete(); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][2]string{
		"net": {inv.Totals.Net.String(), "0.26"}, "VAT": {inv.Totals.Tax.String(), "0.05"},
		"gross": {inv.Totals.Gross.String(), "0.31"}, "payable": {inv.Totals.Payable.String(), "0.31"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %s, want %s", name, got[0], got[1])
		}
	}
}

// VAT rounded by line is 0.03 twice: what the export says, within one unit.
func TestADerivedBreakdownTakesTheStatedVATOfItsOnlyRate(t *testing.T) {
	for stated, want := range map[string]string{"0.06": "0.06", "1.04": "1.04", "1.05": "0.05", "-0.95": "0.05"} {
		inv := printed()
		inv.Totals.Tax = MustAmount(stated)
		if err := inv.Complete(); err != nil {
			t.Fatal(err)
		}
		if got := inv.Taxes[0].Tax.String(); got != want {
			t.Errorf("stated %s: got %s, want %s", stated, got, want)
		}
	}
	inv := printed()
	inv.Lines[1].Rate, inv.Totals.Tax = MustAmount("10"), MustAmount("0.06")
	if err := inv.Complete(); err != nil {
		t.Fatal(err)
	}
	if got := inv.Taxes[0].Tax.String() + " " + inv.Taxes[1].Tax.String(); got != "0.01 0.03" {
		t.Errorf("two rates: got %s; nobody knows whose the cent is", got)
	}
}

func TestTheAmountDueIsRoundedAsStated(t *testing.T) {
	inv := printed()
	inv.Totals.Prepaid, inv.Totals.Rounded = MustAmount("0.10"), MustAmount("-0.01")
	if err := inv.Complete(); err != nil {
		t.Fatal(err)
	}
	if got := inv.Totals.Payable.String(); got != "0.20" {
		t.Errorf("got %s, want 0.20", got)
	}
}

func TestOneRateWrittenInTwoWaysIsOneRate(t *testing.T) {
	line := func(rate string) Line { return Line{Net: MustAmount("0.03"), Rate: MustAmount(rate)} }
	taxes, err := Breakdown([]Line{line("20"), line("20.00"), line("0"), line("0.0"), line("5.5")}, 2)
	if err != nil || len(taxes) != 3 || taxes[2].Taxable.String() != "0.06" || taxes[2].Tax.String() != "0.01" {
		t.Error(taxes, err)
	}
}

func TestAChargeThatNamesNoCategoryJoinsItsRate(t *testing.T) {
	line := func(category, net string) Line {
		return Line{Category: category, Net: MustAmount(net), Rate: MustAmount("20")}
	}
	taxes, err := Breakdown([]Line{line("", "0.13"), line("S", "0.13")}, 2)
	if err != nil || len(taxes) != 1 {
		t.Fatalf("one rate gives %d entries, %v: %v", len(taxes), taxes, err)
	}
	if taxes[0].Category != "S" || taxes[0].Taxable.String() != "0.26" || taxes[0].Tax.String() != "0.05" {
		t.Errorf("got %+v", taxes[0])
	}
	if alone, _ := Breakdown([]Line{line("", "0.13")}, 2); alone[0].Category != "" {
		t.Errorf("a category that nobody named: %q", alone[0].Category)
	}
}
