package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"

	"einvoice/connector/setting"
)

// netResource is NETRESOURCEW.
type netResource struct {
	scope, kind, display, usage      uint32
	local, remote, comment, provider *uint16
}

const (
	resourceDisk       = 1
	connectTemporary   = 4 // in no profile: only for this log-on
	alreadyConnected   = windows.Errno(1219)
	alreadyConnectedAs = windows.Errno(85)
)

// connectShare connects a share without a drive letter for this log-on session.
// One that the session has already, under whatever account, is left as it is:
// Windows allows one account per server.
func connectShare(path, user string, password setting.Secret) error {
	remote, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(user)
	if err != nil {
		return err
	}
	secret, err := windows.UTF16PtrFromString(password.Reveal())
	if err != nil {
		return errors.New("the password holds a zero byte")
	}
	r := netResource{kind: resourceDisk, remote: remote}
	code, _, _ := windows.NewLazySystemDLL("mpr.dll").NewProc("WNetAddConnection2W").Call(
		uintptr(unsafe.Pointer(&r)), uintptr(unsafe.Pointer(secret)), uintptr(unsafe.Pointer(name)), connectTemporary)
	switch e := windows.Errno(code); {
	case e == 0, e == alreadyConnected, e == alreadyConnectedAs:
		return nil
	default:
		return e
	}
}
