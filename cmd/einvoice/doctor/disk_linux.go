package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// kinds are the magic numbers of statfs(2) that matter here.
func kind(magic uint32) (name string, network bool) {
	switch magic {
	case 0x6969:
		return "nfs", true
	case 0xFF534D42:
		return "cifs", true
	case 0xFE534D42:
		return "smb2", true
	case 0x517B:
		return "smb", true
	case 0x01021997:
		return "9p", true
	case 0x00C36400:
		return "ceph", true
	case 0x5346414F:
		return "afs", true
	case 0x47504653:
		return "gpfs", true
	case 0x0BD00BD0:
		return "lustre", true
	case 0x7461636F:
		return "ocfs2", true
	case 0x01161970:
		return "gfs2", true
	case 0x65735546:
		return "fuse", true // sshfs, s3fs, rclone: nobody can tell which
	case 0xEF53:
		return "ext4", false
	case 0x58465342:
		return "xfs", false
	case 0x9123683E:
		return "btrfs", false
	case 0x01021994:
		return "tmpfs", false
	case 0x794C7630:
		return "overlay", false
	}
	return fmt.Sprintf("0x%x", magic), false
}

// DiskOf asks statfs(2).
func DiskOf(path string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return Disk{}, fmt.Errorf("ask volume of %s: %w", path, err)
	}
	name, network := kind(uint32(st.Type))
	return Disk{Kind: name, Network: network, Free: st.Bavail * uint64(st.Bsize), Inodes: st.Files, FreeInodes: st.Ffree}, nil
}
