package sftpplace

import (
	"errors"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"

	"einvoice/connector/setting"
)

const scheme = "sftp://"

// Address is a directory of an SFTP server: sftp://user@host:port/path. The
// path /~/x is x below the directory where the account lands at login.
type Address struct {
	User string
	Host string
	Port string // "22" where the address names none
	Path string // clean, with slashes; relative to the login directory when it does not begin with one
}

// Is tells addresses from paths of this machine.
func Is(place string) bool { return strings.HasPrefix(strings.ToLower(place), scheme) }

// Parse reads an address. Its errors never show a password that was put into it.
func Parse(place string) (Address, error) {
	u, err := url.Parse(place)
	var escape url.EscapeError
	switch {
	case Is(place) && (strings.ContainsAny(place, `#?\`) || errors.As(err, &escape)): // as in a folder 100%, or for DOMAIN\user
		return Address{}, setting.Say("has a character that stands for itself only as %%25 (for %%), %%23 (#), %%3F (?) or %%5C (\\)")
	case err != nil || !Is(place):
		return Address{}, errors.New("is no address of the form sftp://user@host:port/path")
	case u.User != nil && hasPassword(u):
		return Address{}, errors.New("holds a password: put it into a file and name that in password_file of the [[sftp]] section")
	case u.Hostname() == "":
		return Address{}, setting.Say("is %q, but must have the form sftp://user@host:port/path", u.Redacted())
	case strings.Trim(u.Path, "/") == "":
		return Address{}, setting.Say("is %q, but must name a directory after the host; /~/x is x below the login directory", u.Redacted())
	}
	a := Address{User: u.User.Username(), Host: strings.ToLower(u.Hostname()), Port: u.Port(), Path: path.Clean(u.Path)}
	if a.Port == "" {
		a.Port = "22"
	}
	if n, err := strconv.Atoi(a.Port); err != nil || n < 1 || n > 65535 {
		return Address{}, setting.Say("has the port %q, which is none", a.Port)
	}
	if below, ok := strings.CutPrefix(a.Path, "/~/"); ok {
		a.Path = below
	}
	if strings.ContainsFunc(a.Path, func(r rune) bool { return r < ' ' }) {
		return Address{}, errors.New("has a control character in its path")
	}
	return a, nil
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}

// Below is the address of a directory below a.
func (a Address) Below(name string) Address {
	a.Path = path.Join(a.Path, name)
	return a
}

// Endpoint is host:port.
func (a Address) Endpoint() string { return net.JoinHostPort(a.Host, a.Port) }

// String writes the address in full.
func (a Address) String() string {
	u := url.URL{Scheme: "sftp", Host: a.Host, Path: a.Path}
	if a.Port != "22" || strings.Contains(a.Host, ":") {
		u.Host = a.Endpoint()
	}
	if a.User != "" {
		u.User = url.User(a.User)
	}
	if !strings.HasPrefix(a.Path, "/") {
		u.Path = "/~/" + a.Path
	}
	return u.String()
}
