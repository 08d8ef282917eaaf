package sftpplace

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"

	"einvoice/connector/setting"
)

// secretMost bounds key and password files.
const secretMost = 64 << 10

// logins are the ways in that the section gives, the key first. Files are read
// at each login, so that a changed password needs no restart.
func (c Config) logins() ([]ssh.AuthMethod, error) {
	var ways []ssh.AuthMethod
	if c.KeyFile != "" {
		signer, err := c.key()
		if err != nil {
			return nil, err
		}
		ways = append(ways, ssh.PublicKeys(signer))
	}
	password, err := secret(c.PasswordFile, c.PasswordEnv)
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	if password != "" {
		ways = append(ways, ssh.Password(password.Reveal()), ssh.KeyboardInteractive(answer(password)))
	}
	if len(ways) == 0 {
		return nil, errors.New("neither key_file nor a password is given")
	}
	return ways, nil
}

// answer gives the password to every hidden question of a server that asks in
// its own words, and nothing to the others.
func answer(password setting.Secret) ssh.KeyboardInteractiveChallenge {
	return func(_, _ string, questions []string, shown []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range questions {
			if !shown[i] {
				answers[i] = password.Reveal()
			}
		}
		return answers, nil
	}
}

// key reads the private key. The messages of the parser say nothing of its content.
func (c Config) key() (ssh.Signer, error) {
	data, err := private(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	data = setting.Text(data)
	if what := foreignKey(data); what != "" {
		return nil, fmt.Errorf("read key file %s: %s", c.KeyFile, what)
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		return signer, wrap(err, "read key file "+c.KeyFile)
	}
	passphrase, err := secret(c.PassphraseFile, c.PassphraseEnv)
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	if passphrase == "" {
		return nil, fmt.Errorf("read key file %s: it has a passphrase; give passphrase_file or passphrase_env", c.KeyFile)
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(data, []byte(passphrase.Reveal()))
	return signer, wrap(err, "unlock key file "+c.KeyFile)
}

// foreignKey tells what a file is of which the parser says no more than that it
// holds no key, and what to do; "" where it may well be one.
func foreignKey(data []byte) string {
	for _, f := range []struct{ begin, what string }{
		{"PuTTY-User-Key-File", "it is PuTTY's format: open it with PuTTYgen and save it by Conversions, Export OpenSSH key"},
		{"-----BEGIN ENCRYPTED PRIVATE KEY", "its encryption (PKCS#8) cannot be read here; rewrite it in OpenSSH's format with: ssh-keygen -p -f FILE"},
		{"---- BEGIN SSH2 PUBLIC KEY", "it is a public key; name the private one"},
		{"ssh-", "it is a public key; name the private one"},
		{"ecdsa-", "it is a public key; name the private one"},
	} {
		if bytes.HasPrefix(bytes.TrimSpace(data), []byte(f.begin)) {
			return f.what
		}
	}
	return ""
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// secret is the first line's text of a file, else of an environment variable, else "".
func secret(file, env string) (setting.Secret, error) {
	if file == "" {
		if env == "" {
			return "", nil
		}
		v := os.Getenv(env)
		if v == "" {
			return "", fmt.Errorf("environment variable %s is not set", env)
		}
		return setting.Secret(v), nil
	}
	data, err := private(file)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(setting.Text(data), []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return "", fmt.Errorf("%s is empty", file)
	}
	return setting.Secret(line), nil
}

// private reads a file that only its owner may read.
func private(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > secretMost {
		return nil, fmt.Errorf("%s is no key or password file", file)
	}
	if open(info.Mode()) {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and change what it holds if others are not trusted", file, info.Mode().Perm())
	}
	return os.ReadFile(file)
}
