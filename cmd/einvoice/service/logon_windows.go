package service

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// logOnRight is the right that the service manager asks of an account.
const logOnRight = "SeServiceLogonRight"

// Rights of a policy handle: POLICY_CREATE_ACCOUNT and POLICY_LOOKUP_NAMES.
const policyAccess = 0x10 | 0x800

// lsaString is LSA_UNICODE_STRING: lengths are in bytes, without the final zero.
type lsaString struct {
	length, maximum uint16
	buffer          *uint16
}

// lsaAttributes is LSA_OBJECT_ATTRIBUTES, of which only the length is used.
type lsaAttributes struct {
	length     uint32
	directory  windows.Handle
	name       uintptr
	attributes uint32
	security   uintptr
	quality    uintptr
}

// grantLogOn lets an account log on as a service, as services.msc does when a
// person types it in: CreateService alone does not, and the service then fails to
// start with error 1069.
func grantLogOn(account string) error {
	sid, _, _, err := windows.LookupSID("", account)
	if err != nil {
		return fmt.Errorf("find account %s: %w", account, err)
	}
	lsa := windows.NewLazySystemDLL("advapi32.dll")
	attributes := lsaAttributes{}
	attributes.length = uint32(unsafe.Sizeof(attributes))
	var policy windows.Handle
	status, _, _ := lsa.NewProc("LsaOpenPolicy").Call(0, uintptr(unsafe.Pointer(&attributes)), policyAccess, uintptr(unsafe.Pointer(&policy)))
	if err := lsaError(lsa, status); err != nil {
		return fmt.Errorf("open the security policy (as administrator?): %w", err)
	}
	defer func() { _, _, _ = lsa.NewProc("LsaClose").Call(uintptr(policy)) }()
	right, err := newLSAString(logOnRight)
	if err != nil {
		return err
	}
	status, _, _ = lsa.NewProc("LsaAddAccountRights").Call(uintptr(policy), uintptr(unsafe.Pointer(sid)), uintptr(unsafe.Pointer(&right)), 1)
	if err := lsaError(lsa, status); err != nil {
		return fmt.Errorf("grant %s to %s: %w", logOnRight, account, err)
	}
	return nil
}

func newLSAString(text string) (lsaString, error) {
	units, err := windows.UTF16FromString(text)
	if err != nil {
		return lsaString{}, err
	}
	n := uint16(2 * (len(units) - 1))
	return lsaString{length: n, maximum: n + 2, buffer: &units[0]}, nil
}

func lsaError(lsa *windows.LazyDLL, status uintptr) error {
	if status == 0 {
		return nil
	}
	code, _, _ := lsa.NewProc("LsaNtStatusToWinError").Call(status)
	return windows.Errno(code)
}
