package service

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// unit is the systemd unit. ProtectSystem makes everything read-only but the
// ledger and the folders of people. PrivateUsers is left out: it shows files of
// other owners as nobody's, and drops are shared with the ERP's account. A reload
// asks einvoice itself: kill(1) is in a package of its own, and systemctl then
// tells what is wrong in a configuration that is refused.
const unit = `[Unit]
Description=einvoice: sends an ERP's exports as e-invoices
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=%[1]s
Group=%[1]s
ExecStart=%[2]s run -c %[3]s
ExecReload=%[2]s reload -c %[3]s
Restart=always
RestartSec=5s
WatchdogSec=60s
TimeoutStartSec=10min
TimeoutStopSec=45s
LimitNOFILE=4096
UMask=0027
%[4]s
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`

// Unit is the text of the systemd unit.
func Unit(opt Options) string {
	var lines []string
	writable := append([]string{opt.Ledger}, opt.Folders...)
	slices.Sort(writable)
	writable = slices.Compact(writable)
	home := slices.ContainsFunc(append(writable, opt.Config, opt.Exe), inHome)
	if home { // seen as empty but for what is bound into it
		lines = append(lines, "ProtectHome=tmpfs", "BindReadOnlyPaths="+quote(path.Dir(opt.Config)))
		if inHome(opt.Exe) {
			lines = append(lines, "BindReadOnlyPaths="+quote(opt.Exe))
		}
	} else {
		lines = append(lines, "ProtectHome=yes")
	}
	for _, p := range writable {
		if inHome(p) {
			lines = append(lines, "BindPaths=-"+quote(p))
		}
		lines = append(lines, "ReadWritePaths=-"+quote(p)) // "-": a share that is away keeps nothing from starting
	}
	for _, p := range opt.Secrets {
		lines = append(lines, "LoadCredential="+credential(p)+":"+escape(p))
	}
	return fmt.Sprintf(unit, account(opt), quote(opt.Exe), quote(opt.Config), strings.Join(lines, "\n"))
}

func account(opt Options) string {
	if opt.User != "" {
		return opt.User
	}
	return Name
}

func inHome(p string) bool {
	for _, dir := range []string{"/home/", "/root/", "/run/user/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}

// escape keeps % from starting a specifier of systemd.
func escape(p string) string { return strings.ReplaceAll(p, "%", "%%") }

// quote writes a path so that systemd reads it as one word.
func quote(p string) string {
	p = escape(p)
	if !strings.ContainsAny(p, " \t\"'\\$;") {
		return p
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p) + `"`
}
