package sftpplace_test

import (
	"strings"
	"testing"

	"einvoice/connector/drop/sftpplace"
)

// TestAddressesAsPeopleWriteThem: what cannot be read is told with what to write.
func TestAddressesAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ place, path, want string }{
		{"sftp://erp@host/C:/erp/out", "/C:/erp/out", ""},
		{"SFTP://erp@Host:2222/Dépôt des factures/", "/Dépôt des factures", ""},
		{"sftp://erp@host/remise%20100%25", "/remise 100%", ""},
		{`sftp://DOMAIN%5Cerp@host/out`, "/out", ""},
		{"sftp://erp@host/remise 100%/x", "", "%25"},
		{"sftp://erp@host/lot#2", "", "%23"},
		{"sftp://erp@host/lot?", "", "%3F"},
		{`sftp://DOMAIN\erp@host/out`, "", "%5C"},
		{"sftp://erp:canary@host/out", "", "password_file"},
		{"sftp://erp@host", "", "/~/x"},
		{"sftp://erp@host:port/out", "", "user@host:port"},
	} {
		a, err := sftpplace.Parse(c.place)
		if c.want == "" && (err != nil || a.Path != c.path) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: path %q, error %v; want %q, %q", c.place, a.Path, err, c.path, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the password shows: %v", c.place, err)
		}
	}
}
