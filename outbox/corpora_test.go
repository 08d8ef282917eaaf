package outbox

import (
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"einvoice/connector/ledger"
	"einvoice/connector/problem"
	"einvoice/connector/rules"
	"einvoice/mappers"
)

const corpora = "../../shared/corpora"

// judged is a whole invoice of the corpora: what the official validators say of
// it, and what we do.
type judged struct {
	file    string
	valid   bool     // by EN 16931 1.3.16
	broken  []string // its fatal rules
	french  string   // by BR-FR Flux 2: "" not asked, "OK", or the fatal rules
	staged  []ledger.StagedInvoice
	problem error // the mapping could not read the file
}

// wholeInvoices maps and judges every whole UBL and CII invoice of the corpora.
func wholeInvoices(t *testing.T, cfg rules.Config) []judged {
	t.Helper()
	f, err := os.Open(filepath.Join(corpora, "manifest.csv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("the corpora are not here: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []judged
	for _, r := range rows[1:] {
		if kind := r[1]; kind != "ubl" && kind != "cii" || r[2] != "valid" && r[2] != "invalid" {
			continue
		}
		j := judged{file: r[0], valid: r[2] == "valid", broken: strings.Fields(r[3]), french: r[5]}
		j.judge(t, r[1], cfg)
		all = append(all, j)
	}
	if len(all) < 100 {
		t.Fatalf("only %d whole invoices in the manifest", len(all))
	}
	return all
}

func (j *judged) judge(t *testing.T, preset string, cfg rules.Config) {
	t.Helper()
	data, ok := mappers.Preset(preset)
	if !ok {
		t.Fatalf("no preset %s", preset)
	}
	m, err := mappers.Load(preset, data)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(corpora, filepath.FromSlash(j.file))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	e := mappers.Export{Name: filepath.Base(path), Size: info.Size(), TempDir: t.TempDir(),
		Open: func() (io.ReadSeekCloser, error) { return os.Open(path) }}
	_, j.problem = m.Read(t.Context(), e, func(r mappers.Result) error {
		j.staged = append(j.staged, Judge(r, e.Name, Checks{AnySeller: true, Rules: cfg}))
		return nil
	})
}

// problems are all problems of the file's invoices.
func (j *judged) problems() (all []problem.Problem) {
	for _, s := range j.staged {
		all = append(all, s.Problems...)
	}
	return all
}

// isFrench tells whether a rule is one of France and not of EN 16931.
func isFrench(p problem.Problem) bool {
	return strings.HasPrefix(p.Rule, "BR-FR") || strings.HasPrefix(p.Rule, "G")
}

func TestNoRuleRefusesAnOfficiallyValidInvoice(t *testing.T) {
	n := 0
	for _, j := range wholeInvoices(t, rules.Defaults()) {
		if !j.valid {
			continue
		}
		n++
		if j.problem != nil {
			t.Errorf("%s: %v", j.file, j.problem)
		}
		for _, p := range j.problems() {
			if p.Severity == problem.Refuse && (j.french == "OK" || !isFrench(p)) {
				t.Errorf("%s: %s %s %s: %v", j.file, p.Code, p.Rule, p.Field, p)
			}
		}
	}
	t.Logf("%d valid invoices", n)
}

// alike names the rule of ours that finds what the official one is about.
var alike = map[string]string{
	"BR-CO-10": "BR-CO-13", // charges and discounts are lines here, so both sums are one
	"BR-CL-17": "BR-CL-18", // the presets derive the breakdown from the lines
}

// beyond says why an invoice, as it is kept here, cannot break a rule.
var beyond = map[string]string{
	"BR-01":    "the specification identifier is not kept",
	"BR-12":    "the sum of the line nets (BT-106) is not kept: lines are held against BT-109",
	"BR-CO-12": "the sum of the charges (BT-108) is not kept: charges travel as lines",
	"BR-64":    "the standard identifier of an item is not kept",
	"BR-CL-07": "the scheme of an invoiced object is not kept",
	"BR-CL-10": "the scheme of a party's identifier is not kept",
	"BR-CL-11": "the scheme of a registration number is not kept",
	"BR-CL-13": "the classification of an item is not kept",
	"BR-CL-19": "the reason codes of discounts are not kept",
	"BR-CL-21": "the scheme of an item's identifier is not kept",
	"BR-CL-22": "exemption codes are not kept, only the text",
	"BR-CL-25": "electronic addresses are not kept",
	"CII-":     "a rule of the CII syntax, not of the content",
	"UBL-":     "a rule of the UBL syntax, not of the content",
}

// mended says why a broken rule is no more broken once the preset has read the
// file: by file, and rule or "" for all of them.
var mended = map[string]map[string]string{
	"UC11_F202600022_EXTENDED_FX_CII_BT-X-589Only_on_GROUP_Line.xml":  {"": subLines},
	"Extended_SubInvoiceLines_Hardware_Bsp2.xml":                      {"": subLines},
	"Extended___SubInvoiceLines_Buero_Material_Bsp3__.xml":            {"": subLines},
	"Extended___SubInvoiceLines_Kaffee_Bundle_Set_Bsp4__.xml":         {"": subLines},
	"ZUGFeRD_Extended__Abschlagsrechnung_SubInvoiceLine_u_LV_Nr_.xml": {"": subLines},
	"extended_warenrechnung_based_doublecashdiscount.xml":             {"BR-S-08": "a logistics charge of the extended profile is read as a charge, and then the bases add up"},
	"UBL-CreditNote-2.1-Example.ubl.xml": {
		"BR-04": "the root element says that it is a credit note",
		"BR-32": "a discount without category is taken at the rate of the invoice",
		"BR-37": "a charge without category is taken at the rate of the invoice",
	},
	"periods.ubl.xml":                       {"BR-49": "a means of payment without code and without account says nothing that is kept"},
	"GR-base-example-TaxRepresentative.xml": {"BR-06": "the trading name is taken where the registered one is missing"},
}

const subLines = "group lines of the extended profile repeat their sub-lines and are left out, and then the lines add up"

// why says why the rule cannot be named for the file, "" where it must be.
func why(file, rule string) string {
	byRule := mended[filepath.Base(filepath.FromSlash(file))]
	for _, reason := range []string{byRule[rule], byRule[""], beyond[rule]} {
		if reason != "" {
			return reason
		}
	}
	prefix, _, _ := strings.Cut(rule, "-")
	return beyond[prefix+"-"]
}

// TestEachBrokenRuleIsNamed holds our verdict against the official one, rule by
// rule, under the profile that leaves nothing out.
func TestEachBrokenRuleIsNamed(t *testing.T) {
	cfg := rules.Defaults()
	cfg.Profile = "strict"
	named, excused := 0, 0
	for _, j := range wholeInvoices(t, cfg) {
		if j.valid {
			continue
		}
		for _, rule := range j.broken {
			found := slices.ContainsFunc(j.problems(), func(p problem.Problem) bool {
				return p.Rule == rule || p.Rule != "" && p.Rule == alike[rule]
			})
			reason := why(j.file, rule)
			switch {
			case found:
				named++
			case reason == "":
				t.Errorf("%s breaks %s, and nothing says so: %v", j.file, rule, j.problems())
			default:
				excused++
				t.Logf("%s: %s: %s", filepath.Base(j.file), rule, reason)
			}
		}
	}
	t.Logf("%d broken rules named, %d beyond what is kept", named, excused)
	if named < 10 {
		t.Errorf("only %d broken rules named", named)
	}
}

// TestEachBrokenFrenchRuleIsNamed is the same for the French validator, which
// adds the term to the rule: "BR-FR-16_BT-152".
func TestEachBrokenFrenchRuleIsNamed(t *testing.T) {
	derived := map[string]string{
		"BR-FR-12":    "the platform derives the buyer's electronic address",
		"BR-FR-13":    "the platform derives the seller's electronic address",
		"BR-FR-CO-10": "the schemes of identifiers are not kept",
	}
	cfg := rules.Defaults()
	cfg.Profile = "strict"
	for _, j := range wholeInvoices(t, cfg) {
		if j.french == "OK" {
			continue
		}
		for _, full := range strings.Fields(j.french) {
			rule, _, _ := strings.Cut(full, "_")
			found := slices.ContainsFunc(j.problems(), func(p problem.Problem) bool { return p.Rule == rule })
			siret := rule == "BR-FR-10" && len(j.staged) == 1 && j.staged[0].Invoice.Seller.SIREN() != "" // of a SIRET alone: enough for the API
			if !found && !siret && derived[rule] == "" {
				t.Errorf("%s breaks %s, and nothing says so: %v", j.file, full, j.problems())
			}
		}
	}
}

// TestNoFrenchRuleComplainsOfAnInvoiceThatIsValidInFrance goes further than
// refusals: warnings, and checks that are off by default, must agree as well.
func TestNoFrenchRuleComplainsOfAnInvoiceThatIsValidInFrance(t *testing.T) {
	cfg := rules.Defaults()
	cfg.Profile = "strict"
	n := 0
	for _, j := range wholeInvoices(t, cfg) {
		if j.french != "OK" {
			continue
		}
		n++
		for _, p := range j.problems() {
			if isFrench(p) {
				t.Errorf("%s: %s %s: %v", j.file, p.Code, p.Rule, p)
			}
		}
	}
	t.Logf("%d invoices", n)
}
