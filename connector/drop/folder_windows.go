package drop

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// noBlock has no meaning on Windows: a folder holds no pipes.
const noBlock = 0

// busy tells errors that pass: another program holds the file (32, 33), the
// disk is full, the share or its server is away.
func busy(err error) bool {
	for _, e := range []error{
		windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION,
		windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED,
		windows.ERROR_NOT_READY, windows.ERROR_DEV_NOT_EXIST, windows.ERROR_REM_NOT_LIST, windows.ERROR_BAD_NETPATH,
		windows.ERROR_BAD_NET_NAME, windows.ERROR_NETNAME_DELETED, windows.ERROR_UNEXP_NET_ERR, windows.ERROR_SEM_TIMEOUT,
		windows.ERROR_NETWORK_UNREACHABLE, windows.ERROR_HOST_UNREACHABLE, windows.ERROR_NO_NET_OR_BAD_PATH,
		windows.ERROR_DELETE_PENDING, windows.ERROR_USER_MAPPED_FILE,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// held tells the answer to renaming or removing a file that is open elsewhere.
// Of reading, the same answer means a lack of rights.
func held(err error) bool { return errors.Is(err, windows.ERROR_ACCESS_DENIED) }

// alone opens the file for nobody else to share: as long as its writer, an
// antivirus or Excel holds it, Windows answers with a sharing violation.
func alone(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	return windows.CloseHandle(h)
}

// ownerOf returns the id of a file's owner and how to find the account's name.
func ownerOf(path string) (id string, lookup func() string) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "", nil
	}
	sid, _, err := sd.Owner()
	if err != nil || sid == nil {
		return "", nil
	}
	id = sid.String()
	return id, func() string {
		account, domain, _, err := sid.LookupAccount("")
		if err != nil {
			return id
		}
		return domain + `\` + account
	}
}

// readOnly tells a volume that is write-protected, and a folder whose rights
// forbid a new file.
func readOnly(err error) bool {
	return errors.Is(err, windows.ERROR_WRITE_PROTECT) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}
