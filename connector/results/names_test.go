package results

import (
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 30, 22, 5, 9, 0, time.UTC).In(paris)
	for _, c := range []struct{ got, want string }{
		{AckName("orders.csv", 12, CSV), "orders.csv.000012.ack.csv"},
		{SummaryName("orders.csv", 12, CSV), "orders.csv.000012.summary.csv"},
		{AckName("orders.csv", 1234567, CSV), "orders.csv.1234567.ack.csv"},
		{statusName("acme", at, 41, CSV), "status_acme_20260701T000509_41.csv"},
		{CopyName("orders.csv", 12, "refused", 2, "xlsx"), "orders.000012.refused.2.xlsx"},
		{CopyName("orders.csv", 12, "refused", 2, ".csv"), "orders.000012.refused.2.csv"},
		{CopyName("orders", 12, "held", 1, "csv"), "orders.000012.held.csv"},
		{ReportName("orders.xml", 12, 1), "orders.000012.refused.1.report.csv"},
		{okName("a.csv"), "a.csv.ok"},
		{AckName("a:b/c\\d*?.csv", 1, CSV), "a_b_c_d__.csv.000001.ack.csv"},
		{AckName("..\\..\\etc", 1, CSV), "_.._.._etc.000001.ack.csv"},
		{AckName("CON.csv", 1, CSV), "_CON.csv.000001.ack.csv"},
		{AckName("lpt1", 1, CSV), "_lpt1.000001.ack.csv"},
		{AckName("compte.csv", 1, CSV), "compte.csv.000001.ack.csv"},
		{AckName(".hidden", 1, CSV), "_.hidden.000001.ack.csv"},
		{AckName("", 1, CSV), "_.000001.ack.csv"},
		{AckName("fact\u202eures\n\xff.csv", 1, CSV), "fact_ures__.csv.000001.ack.csv"},
		{AckName("n° 1\u00a0déc. .csv", 1, CSV), "n° 1\u00a0déc. .csv.000001.ack.csv"},
		{CopyName(".csv", 1, "held", 0, "csv"), "_.csv.000001.held.csv"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestLongNamesStayBoundedAndApart(t *testing.T) {
	for _, letter := range []string{"a", "é", "漢"} {
		long := strings.Repeat(letter, 300)
		a, b := AckName(long+"1.csv", 1, CSV), AckName(long+"2.csv", 1, CSV)
		if a == b {
			t.Errorf("two exports share %s", a)
		}
		if len(a) > 130 {
			t.Errorf("%d bytes: %s", len(a), a)
		}
		if !strings.HasSuffix(a, ".csv.000001.ack.csv") || strings.ContainsRune(a, '\ufffd') {
			t.Errorf("not a good name: %s", a)
		}
	}
}
