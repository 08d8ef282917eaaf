package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"einvoice/connector/setting"
)

// maxToken bounds a token file: beyond it, the path names something else.
const maxToken = 8 << 10

// errNoToken is wrapped by every failure to get a token.
var errNoToken = errors.New("no token")

// ConfiguredToken gives the token of the file, read again when the file has
// changed so that a replaced one counts at once, and on renew whatever its date
// says; or of the environment. While the file cannot be read (it is being
// replaced) the last good token stands, except on renew.
//
// With [api.oauth] it mints and renews tokens instead, and keeps them in memory.
func ConfiguredToken(cfg Config) func(ctx context.Context, renew bool) (setting.Secret, error) {
	if cfg.OAuth.URL != "" {
		m, err := newMint(cfg, time.Now)
		if err != nil {
			return func(context.Context, bool) (setting.Secret, error) { return "", err }
		}
		return m.get
	}
	var mu sync.Mutex
	var last setting.Secret
	var of version
	return func(_ context.Context, renew bool) (setting.Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		now := versionOf(cfg.TokenFile) // before it is read: what is written meanwhile is read next time
		if last != "" && !renew && now != (version{}) && now == of {
			return last, nil
		}
		token, err := readToken(cfg)
		if err != nil {
			if last != "" && !renew {
				return last, nil
			}
			return "", err
		}
		last, of = token, version{}
		if time.Since(now.modified) > settled {
			of = now
		}
		return token, nil
	}
}

// settled is the age from which a file's date tells its next content from this
// one: two writes may fall into one tick of the file system's clock.
const settled = 5 * time.Second

// version tells one content of a file from the next.
type version struct {
	modified time.Time
	size     int64
}

// versionOf is zero when there is no such file.
func versionOf(file string) version {
	info, err := os.Stat(file)
	if err != nil {
		return version{}
	}
	return version{info.ModTime(), info.Size()}
}

func readToken(cfg Config) (setting.Secret, error) { return readSecret(cfg.TokenFile, cfg.TokenEnv) }

// readSecret reads one word from a file, else from an environment variable.
func readSecret(file, env string) (setting.Secret, error) {
	if file == "" {
		if word := cleanToken(os.Getenv(env)); printable(word.Reveal()) {
			return word, nil
		}
		return "", fmt.Errorf("%w: environment variable %s is empty or holds more than one word", errNoToken, env)
	}
	b, err := readSmall(file)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoToken, err)
	}
	word := cleanToken(string(setting.Text(b)))
	if len(b) > maxToken || !printable(word.Reveal()) {
		return "", fmt.Errorf("%w: %s is empty, too long or holds more than one word", errNoToken, file)
	}
	return word, nil
}

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxToken+1))
}

// printable tells whether s can stand in a header as one word.
func printable(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// cleanToken takes off what editors and people add: a byte order mark, line
// ends, quotes, the word Bearer.
func cleanToken(s string) setting.Secret {
	s = strings.TrimSpace(strings.TrimPrefix(s, "\ufeff"))
	s = strings.Trim(s, `"'`)
	if len(s) > 7 && strings.EqualFold(s[:7], "bearer ") {
		s = s[7:]
	}
	return setting.Secret(strings.TrimSpace(s))
}

// tokenShape is how the tokens of this platform have looked so far.
var tokenShape = regexp.MustCompile(`^[0-9a-f]{24}$`)

// LooksLikeToken tells whether s has the shape of a bearer token (24
// hexadecimal digits). Only a hint: people often paste the account's API key,
// which mints tokens but is none, and a shape may change.
func LooksLikeToken(s setting.Secret) bool { return tokenShape.MatchString(s.Reveal()) }
