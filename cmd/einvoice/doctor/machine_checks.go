package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"einvoice/connector/api"
	"einvoice/connector/setting"
)

// serviceAccount wants the checks to run as the account of the service: its
// rights are what matters, and files made by another one lock it out.
func serviceAccount(_ context.Context, e *exam, _ string) verdict {
	account, ours, err := e.machine.Owner(e.Ledger.Path)
	switch {
	case err != nil:
		return warn(setting.Say("the ledger folder is not there yet, so that nobody owns it"), setting.Say("start the service once, then: %v", asService("einvoice")))
	case !ours && runtime.GOOS != "windows":
		return fail(setting.Say("this is not the account that owns the ledger (%s)", account), asService(account))
	case e.machine.Administrator():
		return warn(setting.Say("runs as an administrator: rights that the service lacks do not show"), asService("einvoice"))
	}
	return ok(setting.Say("runs as %s, who owns the ledger", account))
}

func asService(account string) setting.Phrase {
	if runtime.GOOS == "windows" {
		return setting.Say("run einvoice doctor from a task that runs as the service's account")
	}
	return as("sudo -u " + account + " einvoice doctor")
}

func umask(_ context.Context, e *exam, _ string) verdict {
	mask := e.machine.Umask()
	switch {
	case mask&0o002 == 0:
		return fail(setting.Say("umask %04o lets everybody write what we make", mask), setting.Say("umask 0027, or UMask=0027 in the unit"))
	case mask&0o020 == 0:
		return warn(setting.Say("umask %04o lets the group write what we make", mask), setting.Say("umask 0027, unless the ERP must delete our files through its group"))
	}
	return ok(as(fmt.Sprintf("%04o", mask)))
}

// fewFiles is less than what 16 workers, a listener and a few drops need.
const fewFiles = 256

func openFiles(_ context.Context, e *exam, _ string) verdict {
	n := e.machine.OpenFiles()
	if n < fewFiles {
		return fail(setting.Say("at most %d open files", n), setting.Say("ulimit -n 4096, or LimitNOFILE=4096 in the unit"))
	}
	return ok(setting.Say("enough"))
}

func configRights(_ context.Context, e *exam, _ string) verdict {
	_, write, err := e.machine.Others(e.Config)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("give -c the path of the configuration"))
	case write:
		return fail(setting.Say("%s can be changed by everybody", e.Config), as("chmod o-w '"+e.Config+"'"))
	}
	return ok(as(e.Config))
}

func secretRights(_ context.Context, e *exam, path string) verdict {
	read, write, err := e.machine.Others(path)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("write the secret into that file"))
	case read || write:
		return fail(setting.Say("everybody on this machine can use this secret"), as("chmod 600 '"+path+"'"))
	}
	return ok(setting.Say("readable by the service alone"))
}

func tokenPresent(ctx context.Context, e *exam, _ string) verdict {
	token, err := api.ConfiguredToken(e.API)(ctx, true)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("write the bearer token into the file of api.token_file"))
	case token.Reveal() == "":
		return fail(setting.Say("is empty"), setting.Say("write the bearer token into the file of api.token_file"))
	case e.Environment == "production" && !api.LooksLikeToken(token):
		return warn(setting.Say("does not look like a bearer token (24 hexadecimal digits)"), setting.Say("make a token in the console; the account's API key is none"))
	}
	return ok(setting.Say("present"))
}

// tokenEnvironment reads the only mark that an offline look can see: the name
// that people gave the file.
func tokenEnvironment(_ context.Context, e *exam, _ string) verdict {
	if other := OtherEnvironment(e.API.TokenFile, e.Environment); other != (setting.Phrase{}) {
		return fail(setting.Say("environment is %q, but the token file is named for %v: %s", e.Environment, other, e.API.TokenFile),
			setting.Say("set api.token_file to the token of this environment"))
	}
	return ok(setting.Say("nothing tells that the token is of another environment than %s", e.Environment))
}

// OtherEnvironment names the environment that a token file's name speaks of when
// it is not the configured one; empty otherwise.
func OtherEnvironment(tokenFile, environment string) setting.Phrase {
	name := strings.ToLower(filepath.Base(tokenFile))
	production := strings.Contains(name, "prod") || strings.Contains(name, "live")
	sandbox := strings.Contains(name, "sandbox") || strings.Contains(name, "test")
	switch {
	case environment == "sandbox" && production && !sandbox:
		return as("production")
	case environment == "production" && sandbox && !production:
		return setting.Say("the sandbox")
	}
	return setting.Phrase{}
}

func folderExists(_ context.Context, _ *exam, dir string) verdict {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fail(caused(err), setting.Say("mkdir -p '%s' and give it to the service's account", dir))
	case !info.IsDir():
		return fail(setting.Say("is a file, not a folder"), setting.Say("correct the path in the configuration"))
	}
	return ok(setting.Say("is there"))
}
