package sftpplace

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// connect opens the way to the server, through the proxy where there is one.
// Both may take until the deadline of ctx.
func (c Config) connect(ctx context.Context, endpoint string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: 30 * time.Second}
	if c.Proxy == "" {
		return dialer.DialContext(ctx, "tcp", endpoint)
	}
	u, err := url.Parse(c.Proxy)
	if err != nil {
		return nil, errors.New("proxy is no URL")
	}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, fmt.Errorf("reach proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	through := tunnelHTTP
	if u.Scheme == "socks5" {
		through = tunnelSOCKS
	}
	if err := through(conn, u.User, endpoint); err != nil {
		conn.Close()
		return nil, fmt.Errorf("ask proxy %s for %s: %w", u.Host, endpoint, err)
	}
	return conn, nil
}

// tunnelHTTP asks by CONNECT. The answer is read byte by byte: what follows it
// is the server's greeting already.
func tunnelHTTP(conn net.Conn, user *url.Userinfo, endpoint string) error {
	ask := "CONNECT " + endpoint + " HTTP/1.1\r\nHost: " + endpoint + "\r\n"
	if user != nil {
		password, _ := user.Password()
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(oneByte{io.LimitReader(conn, 64<<10)}, 16), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	return nil
}

// oneByte never reads ahead.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) > 1 {
		p = p[:1]
	}
	return o.r.Read(p)
}

// tunnelSOCKS asks by SOCKS version 5 (RFC 1928, RFC 1929). The name goes to the
// proxy: inside, the server's name is often not known.
func tunnelSOCKS(conn net.Conn, user *url.Userinfo, endpoint string) error {
	method := byte(0)
	if user != nil {
		method = 2
	}
	if _, err := conn.Write([]byte{5, 1, method}); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:2]); err != nil {
		return err
	}
	if head[0] != 5 || head[1] != method {
		return errors.New("it accepts no way of ours to log in")
	}
	if err := socksLogin(conn, user); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(port)
	if err != nil || len(host) > 255 {
		return fmt.Errorf("%s is no address for it", endpoint)
	}
	ask := append([]byte{5, 1, 0, 3, byte(len(host))}, host...)
	if _, err := conn.Write(append(ask, byte(n>>8), byte(n))); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if head[1] != 0 {
		return fmt.Errorf("it refuses with code %d", head[1])
	}
	return socksRest(conn, head[3])
}

func socksLogin(conn net.Conn, user *url.Userinfo) error {
	if user == nil {
		return nil
	}
	name := user.Username()
	password, _ := user.Password()
	if len(name) > 255 || len(password) > 255 {
		return errors.New("its user name or password is too long")
	}
	login := append([]byte{1, byte(len(name))}, name...)
	login = append(append(login, byte(len(password))), password...)
	if _, err := conn.Write(login); err != nil {
		return err
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return errors.New("it refuses the user name or the password")
	}
	return nil
}

// socksRest reads the bound address, which nobody needs.
func socksRest(conn net.Conn, kind byte) error {
	size := map[byte]int{1: net.IPv4len, 4: net.IPv6len}[kind]
	if kind == 3 {
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return err
		}
		size = int(n[0])
	}
	_, err := io.ReadFull(conn, make([]byte, size+2))
	return err
}
