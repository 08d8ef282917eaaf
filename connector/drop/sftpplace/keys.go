package sftpplace

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
)

// errSeen ends a connection whose host key was seen: nothing is sent to a server
// that is not trusted.
var errSeen = errors.New("key seen")

// ShownKeys are the host keys that a server shows, as "type SHA256:..." each,
// for a person to compare with what the server's admin says. They prove nothing
// by themselves.
func (c Config) ShownKeys(ctx context.Context, a Address) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.ConnectTimeout.Std(), errSilent)
	defer cancel()
	var keys []string
	for _, family := range families {
		var shown string
		check := func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = key.Type() + " " + ssh.FingerprintSHA256(key)
			return errSeen
		}
		_, err := c.openWith(ctx, a, check, c.legacy(algorithmsOf(family)), nil)
		switch {
		case errors.Is(err, errSeen):
			keys = append(keys, shown)
		case noCommonAlgorithm(err): // it has no key of this type
		default:
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the server has no host key of a type that is safe; see legacy_algorithms")
	}
	return keys, nil
}
