package sftpplace

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"einvoice/connector/problem"
)

// Codes of what is wrong with a server (texts: connector/problem/file.go).
const (
	codeKeyChanged = "E1017"
	codeKeyUnknown = "E1018"
	codeLogin      = "E1019"
)

// families are the algorithms of host keys, one entry for each type of key, in
// the order in which an unknown type is asked for.
var families = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA,
}

// algorithmsOf are the algorithms by which a key of a type signs. An RSA key
// must not bind us to SHA-1, which servers have switched off.
func algorithmsOf(keyType string) []string {
	switch {
	case keyType == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	case slices.Contains(families, keyType), keyType == ssh.KeyAlgoSKED25519, keyType == ssh.KeyAlgoSKECDSA256:
		return []string{keyType}
	}
	return nil
}

// certificates are the algorithms of host keys that an authority signed.
var certificates = []string{
	ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
}

// trust is what is known of one server's host keys.
type trust struct {
	check ssh.HostKeyCallback
	// offers are lists of algorithms to try one after another: a server shows one
	// key, that of the first algorithm both know, and it must be the known one.
	offers [][]string
}

// trusted reads what is known of the server at endpoint. That nothing is known
// is an error: no key is trusted at first sight.
func (c Config) trusted(endpoint string) (trust, error) {
	if len(c.HostKeys) > 0 {
		return c.pins(endpoint), nil
	}
	check, err := knownhosts.New(c.KnownHosts)
	if err != nil {
		return trust{}, fmt.Errorf("read known_hosts: %w", err)
	}
	algorithms, err := known(check, endpoint)
	if err != nil {
		return trust{}, err
	}
	if len(algorithms) == 0 {
		return trust{}, keyProblem(codeKeyUnknown, endpoint, "", c.KnownHosts)
	}
	return trust{offers: [][]string{c.legacy(algorithms)}, check: func(host string, remote net.Addr, key ssh.PublicKey) error {
		return explain(check(host, remote, key), endpoint, key)
	}}, nil
}

// legacy adds SHA-1 signatures where the section allows them.
func (c Config) legacy(algorithms []string) []string {
	if c.LegacyAlgorithms && slices.Contains(algorithms, ssh.KeyAlgoRSASHA256) {
		return append(algorithms, ssh.KeyAlgoRSA)
	}
	return algorithms
}

// pins trusts the fingerprints of the section. Where one does not say the type
// of its key, each type is asked for in turn.
func (c Config) pins(endpoint string) trust {
	var prints, types []string
	for _, k := range c.HostKeys {
		m := pinned.FindStringSubmatch(k)
		if m == nil {
			continue
		}
		prints = append(prints, strings.TrimRight(m[2], "="))
		if m[1] != "" {
			types = append(types, m[1])
		}
	}
	if len(types) < len(prints) {
		types = families
	}
	t := trust{check: func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if shown := ssh.FingerprintSHA256(key); !slices.Contains(prints, shown) {
			return keyProblem(codeKeyChanged, endpoint, key.Type()+" "+shown, strings.Join(c.HostKeys, ", "))
		}
		return nil
	}}
	for _, kind := range types {
		t.offers = append(t.offers, c.legacy(algorithmsOf(kind)))
	}
	return t
}

// known asks known_hosts with a key that nobody has, and reads from the refusal
// which ones it expects.
func known(check ssh.HostKeyCallback, endpoint string) ([]string, error) {
	var refusal *knownhosts.KeyError
	if err := check(endpoint, &net.TCPAddr{}, nobodysKey{}); !errors.As(err, &refusal) {
		return nil, fmt.Errorf("look up %s in known_hosts: %w", endpoint, err)
	}
	var algorithms []string
	for _, k := range refusal.Want {
		more := algorithmsOf(k.Key.Type())
		if authority(k) {
			more = certificates
		}
		for _, a := range more {
			if !slices.Contains(algorithms, a) {
				algorithms = append(algorithms, a)
			}
		}
	}
	return algorithms, nil
}

// authority tells whether a line of known_hosts is a @cert-authority: its key
// signs host keys and is none itself.
func authority(k knownhosts.KnownKey) bool {
	f, err := os.Open(k.Filename)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if n == k.Line {
			return strings.HasPrefix(strings.TrimSpace(lines.Text()), "@cert-authority")
		}
	}
	return false
}

// explain turns the refusals of known_hosts into problems.
func explain(err error, endpoint string, key ssh.PublicKey) error {
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	var revoked *knownhosts.RevokedError
	var other *knownhosts.KeyError
	switch {
	case errors.As(err, &revoked):
		return keyProblem(codeKeyChanged, endpoint, shown, "@revoked")
	case errors.As(err, &other):
		var want []string
		for _, k := range other.Want {
			want = append(want, k.Key.Type()+" "+ssh.FingerprintSHA256(k.Key))
		}
		return keyProblem(codeKeyChanged, endpoint, shown, strings.Join(want, ", "))
	}
	return err
}

func keyProblem(code, endpoint, shown, expected string) problem.Problem {
	host := strings.TrimSuffix(endpoint, ":22")
	return problem.Problem{
		Code: code, Severity: problem.Hold, Value: shown, Expected: expected, Args: map[string]string{"place": host},
	}
}

// nobodysKey is a public key that no known_hosts can hold.
type nobodysKey struct{}

func (nobodysKey) Type() string                        { return "nobody" }
func (nobodysKey) Marshal() []byte                     { return []byte("nobody") }
func (nobodysKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
