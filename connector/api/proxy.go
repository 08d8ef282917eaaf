package api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// proxyOf chooses the proxy of each request: that of the settings, or of the
// environment where they name none.
func proxyOf(cfg Config) (func(*http.Request) (*url.URL, error), error) {
	if cfg.Proxy == "" {
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(cfg.Proxy)
	if err != nil {
		return nil, fmt.Errorf("parse proxy: not a URL") // the value may hold a password
	}
	if cfg.ProxyUser != "" {
		u.User = url.User(cfg.ProxyUser)
	}
	if cfg.ProxyPasswordFile != "" {
		password, err := readSmall(cfg.ProxyPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read proxy_password_file: %w", err)
		}
		// Only the line's end goes: a password may have any other character.
		u.User = url.UserPassword(u.User.Username(), string(bytes.TrimRight(password, "\r\n")))
	}
	return func(req *http.Request) (*url.URL, error) {
		if direct(cfg.NoProxy, req.URL.Hostname()) {
			return nil, nil
		}
		return u, nil
	}, nil
}

// direct tells whether a host is in the list: by its name, as part of a domain
// (.example.com or example.com), or by an address or a network.
func direct(list []string, host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(host)
	for _, entry := range list {
		entry = strings.ToLower(strings.TrimPrefix(entry, "*"))
		if network, bad := netip.ParsePrefix(entry); bad == nil && err == nil && network.Contains(address.Unmap()) {
			return true
		}
		name := strings.TrimPrefix(entry, ".")
		if name == "" && entry == "" || host == name || err != nil && name != "" && strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}

// plausibleHost tells an entry of no_proxy from what cannot be one, such as a URL.
func plausibleHost(entry string) bool {
	if _, err := netip.ParsePrefix(entry); err == nil {
		return true
	}
	return entry != "" && !strings.ContainsAny(entry, "/ ,;@")
}
