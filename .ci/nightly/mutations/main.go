// Command mutations removes protections one at a time, in a copy of the
// repository, and runs the test that should notice: a test that passes without
// the protection proves nothing. A change that does not compile does not count.
//
//	go run ./.ci/nightly/mutations [-table FILE] [NAME...]
//	go run ./.ci/nightly/mutations -fit
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// mutation takes one protection away: the only occurrence of old in file
// becomes new.
type mutation struct {
	name, file, old, new string
	pkg, test            string
	tags                 string
}

func mutations() []mutation {
	const powercut = "TestWhatWasPromisedSurvivesAPowerCut"
	return []mutation{
		{"fsync of a file", "connector/durable/durable.go", "if err = syncFile(f); err != nil {", "if err != nil {",
			"./connector/durable", powercut, "faults"},
		{"fsync of the folder after a rename", "connector/durable/path.go",
			"if err := fault.Hit(fault.NameGiven); err != nil {\n\t\treturn err\n\t}\n\treturn syncParents(oldpath, newpath)",
			"return fault.Hit(fault.NameGiven)", "./connector/durable", powercut, "faults"},
		{"fsync of the folder after a move", "connector/durable/path.go",
			"if err := fault.Hit(fault.FileMoved); err != nil {\n\t\t\treturn err\n\t\t}\n\t\treturn syncParents(oldpath, newpath)",
			"return fault.Hit(fault.FileMoved)", "./connector/durable", powercut, "faults"},
		{"fsync of the folder above a new folder", "connector/durable/path.go", "return syncNames(parent)", "return nil",
			"./connector/durable", powercut, "faults"},
		{"fsync of the folder after a removal", "connector/durable/path.go",
			"if err := fault.Hit(fault.FileRemoved); err != nil {\n\t\treturn err\n\t}\n\treturn syncNames(filepath.Dir(path))",
			"return fault.Hit(fault.FileRemoved)", "./connector/durable", powercut, "faults"},
		{"fsync of each commit", "connector/ledger/open.go", `"synchronous(FULL)"`, `"synchronous(OFF)"`,
			"./connector/ledger", "TestWriterIsDurable", ""},
		{"one failing verb rolls back alone", "connector/ledger/writer.go", "if err != nil && len(batch) > 1 {", "if err != nil && len(batch) > 1<<20 {",
			"./connector/ledger", "TestOneFailureNeverHurtsItsNeighbours", ""},
		{"intent before the POST", "outbox/feed.go", "marked, err := s.o.Ledger.MarkSending(ctx, ids)", "marked, err := ids, error(nil)",
			"./outbox", "TestNoCutNoSilenceAndNoNonsenseMakesASecondInvoice", ""},
		{"an interrupted intent is doubted", "connector/ledger/open.go", "return l.doubtIntents(t)", "return nil",
			"./outbox", "TestCrashWhileSendingIsUncertainAfterTheRestart", ""},
		{"look-up before another POST", "outbox/send.go", "believed\n\t\tout.State, out.Retry = ledger.Uncertain, now.Add(o.Config.lookupWait(0))",
			"believed\n\t\tout.State, out.Retry = ledger.Queued, now", "./outbox", "TestUncertainInvoiceIsLookedForAndNeverRepeated", ""},
		{"an id proves that it was taken in charge", "connector/api/verdict.go", "case !r.isJSON, r.failure == (id != \"\"):",
			"case r.failure && id != \"\":", "./outbox", "TestNoCutNoSilenceAndNoNonsenseMakesASecondInvoice", ""},
		{"a 503 proves nothing", "connector/api/verdict.go", "return r.because(Unsure, ScopeInvoice, codeUnavailable)",
			"return r.because(Later, ScopeCredential, codeUnavailable)", "./connector/api", "TestEveryAnswerHasItsFate", ""},
		{"what was written and not answered is in doubt", "connector/api/verdict.go", "if r.written {", "if false {",
			"./connector/api", "TestEveryFailureOfTheTransportHasItsFate", ""},
		{"a stop is of one lane", "outbox/lane.go", "if scope == api.ScopeCredential {", "if scope != \"\" {",
			"./outbox", "TestAStopClosesNoMoreThanItMust", ""},
		{"a stop is told once", "outbox/lane.go", "news := !s.closed || s.why == \"\"", "news := true",
			"./outbox", "TestAStopClosesNoMoreThanItMust", ""},
		{"a company's own stop is told first", "outbox/lane.go", "own := l.each[company].why; own != \"\"", "own := l.of[company].why; own != \"\"",
			"./outbox", "TestACompanysOwnStopIsToldInEitherOrder", ""},
		{"a probe that gets through is no end", "outbox/outbox.go", "return o.lanes.openings() == opened &&", "return o.lanes.openings() >= opened &&",
			"./outbox", "TestAProbeThatGetsThroughIsNoEnd", ""},
		{"doubts close the lane", "outbox/send.go", "if o.lanes.failed(t.Company, now, max(a.RetryAfter,", "if false && o.lanes.failed(t.Company, now, max(a.RetryAfter,",
			"./outbox", "TestAPlatformThatIsDownIsNotAskedByEveryInvoice", ""},
		{"contents stay of what is in doubt", "connector/ledger/retention.go", ", 'sending', 'uncertain')", ", 'sending')",
			"./connector/ledger", "TestContentsGoOnlyOfWhatNothingWaitsFor", ""},
		{"copies of what is not archived stay", "connector/ledger/retention.go", "AND f.archived_at IS NOT NULL ", "",
			"./connector/ledger", "TestSpooledCopiesThatAPromiseNeedsAreNotListed", ""},
		{"a page that stops us leaves a doubt", "outbox/send.go", "if a.Doubt {", "if false {",
			"./outbox", "TestNoCutNoSilenceAndNoNonsenseMakesASecondInvoice", ""},
		{"the witness of an absence", "outbox/resolve.go", "last.After(d.AttemptedAt) && ", "!last.IsZero() && ",
			"./outbox", "TestAnEarlierInvoiceIsNoWitness", ""},
		{"three proofs of an absence", "outbox/config.go", "const proofs = 3", "const proofs = 1",
			"./outbox", "TestAbsenceNeedsThreeProofsWithAWitnessOverFifteenMinutes", ""},
		{"proofs spread over time", "outbox/resolve.go", "now.Sub(d.FirstProof) >= o.Config.ProofsOver.Std()", "now.Sub(d.FirstProof) >= 0",
			"./outbox", "TestThreeProofsInAHurryAreNotEnough", ""},
		{"other totals are held, not adopted", "outbox/resolve.go", "if !near(r.Invoice.Totals.Gross, d.Gross, r.Invoice.Currency) {", "if false {",
			"./outbox", "TestOtherTotalsAndTwoHitsAreHeld", ""},
		{"the business key finds duplicates", "connector/ledger/release.go", "rivals, err := findRivals(t, fileID)", "rivals, err := int64(0), error(nil)",
			"./connector/ledger", "TestSameDocumentAgainIsDuplicate", ""},
		{"a file is released once", "connector/ledger/stage.go", "if err == nil && state != string(FileTaken) {", "if err == nil && state == \"\" {",
			"./connector/ledger", "TestReleaseOfPlainFile", ""},
		{"running numbers are taken once", "connector/ledger/event.go", "from, err := takeSeqs(t, place, n)", "from, err := takeSeqs(t, place, n+1)",
			"./connector/ledger", "TestSeqsHaveNoGaps", ""},
		{"hash after the move", "outbox/original.go", "back from the archive: %w\", to, err))\n\t}\n\tif sum == x.sha256() {",
			"back from the archive: %w\", to, err))\n\t}\n\tif sum != \"\" {", "./outbox", "TestTheERPRewritesTheExportBetweenOurCopyAndTheMove", ""},
		{"the last invoice of an unproven export waits", "outbox/staging.go", "if s.last == nil || wait == 0 ||", "if s.last == nil || wait >= 0 ||",
			"./outbox", "TestLastInvoiceOfAnUnprovenExportWaits", ""},
		{"a batch that was not written is not forgotten", "outbox/staging.go", "\ts.written()\n\tif s.broken == nil && len(s.batch) > 0 {", "\tif s.broken == nil && len(s.batch) > 0 {",
			"./outbox", "TestABatchThatCannotBeWrittenIsNotForgotten", ""},
		{"GetBody stays nil", "connector/api/client.go", "req.ContentLength = int64(len(body))",
			"req.ContentLength = int64(len(body))\n\t\treq.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }",
			"./connector/api", "TestRequestsCarryNoIdempotencyKeyAndNoBodyToReplay", ""},
		{"redirects are refused", "connector/api/client.go", "return http.ErrUseLastResponse }", "return nil }",
			"./connector/api", "TestRedirectsAreNotFollowed", ""},
		{"a callback is recorded before the 200", "inbox/callback.go", "err = in.opt.Ledger.RecordCallback(r.Context(), c)", "go in.opt.Ledger.RecordCallback(context.WithoutCancel(r.Context()), c)",
			"./inbox", "TestTheAnswerIs200OnlyOnceTheCallIsRecorded", ""},
		{"built is committed before the rename", "inbox/build.go", "if err := fault.Hit(fault.Filled); err != nil {",
			"if _, err := in.put(ctx, t, *r); err != nil {\n\t\treturn err\n\t}\n\tif err := fault.Hit(fault.Filled); err != nil {",
			"./inbox", "TestNothingIsInPlaceBeforeBuiltIsCommitted", ""},
		{"a new ledger sweeps before it sends", "outbox/swept.go",
			"return o.Ledger.AddSwept(ctx, company, found)", "return nil", "./outbox", "TestANewLedgerSendsNothingBeforeItReadWhatWasSent", ""},
		{"a full disk is waited for", "cmd/einvoice/app.go", "a.outbox.Endure = true", "a.outbox.Endure = false",
			"./cmd/einvoice", "TestAFullDiskStopsNothing", ""},
	}
}

func main() {
	table := flag.String("table", "", "file for the table")
	fit := flag.Bool("fit", false, "only look whether each still fits the code")
	flag.Parse()
	if *fit {
		if err := fits(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	text, err := run(flag.Args())
	fmt.Print(text)
	if *table != "" && err == nil {
		err = os.WriteFile(*table, []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fits tells which mutations the code has moved away from.
func fits() error {
	var errs []error
	for _, m := range mutations() {
		if _, _, err := m.source("."); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return errors.Join(errs...)
}

// run does the chosen mutations, or all, and gives the table.
func run(chosen []string) (string, error) {
	dir, err := os.MkdirTemp("", "einvoice-mutations-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("git", "checkout-index", "-a", "--prefix="+dir+"/").CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy the repository: %w\n%s", err, out)
	}
	var b strings.Builder
	host, _ := os.Hostname()
	fmt.Fprintf(&b, "%s, %s, %s/%s, %d CPUs\n\n%-55s %-9s %s\n", time.Now().Format("2006-01-02 15:04"), host, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		"protection removed", "result", "test")
	var survivors []error
	for _, m := range mutations() {
		if len(chosen) > 0 && !slices.Contains(chosen, m.name) {
			continue
		}
		result, err := m.try(dir)
		if err != nil {
			survivors = append(survivors, fmt.Errorf("%s: %w", m.name, err))
		}
		fmt.Fprintf(&b, "%-55s %-9s %s %s\n", m.name, result, m.pkg, m.test)
		fmt.Fprintf(os.Stderr, "%-55s %s\n", m.name, result)
	}
	return b.String(), errors.Join(survivors...)
}

// source is the file that a mutation changes in one place.
func (m mutation) source(dir string) (path, src string, err error) {
	path = filepath.Join(dir, filepath.FromSlash(m.file))
	data, err := os.ReadFile(path)
	if err == nil && strings.Count(string(data), m.old) != 1 {
		err = fmt.Errorf("%q stands %d times in %s", m.old, strings.Count(string(data), m.old), m.file)
	}
	return path, string(data), err
}

// try applies a mutation, runs its test and puts the file back.
func (m mutation) try(dir string) (string, error) {
	path, src, err := m.source(dir)
	if err != nil {
		return "not found", err
	}
	defer os.WriteFile(path, []byte(src), 0o644)
	if err := os.WriteFile(path, []byte(strings.Replace(src, m.old, m.new, 1)), 0o644); err != nil {
		return "", err
	}
	if out, err := m.tool(dir, "go", "test", "-run", "^$", "-vet=off"); err != nil {
		return "broken", fmt.Errorf("does not compile:\n%s", out)
	}
	out, err := m.tool(dir, "go", "test", "-run", "^("+m.test+")$", "-vet=off", "-count=1", "-timeout=4m")
	switch {
	case err == nil && strings.Contains(out, "no tests to run"):
		return "no test", errors.New("the test does not exist")
	case err == nil:
		return "SURVIVED", errors.New("no test noticed")
	}
	return "caught", nil
}

func (m mutation) tool(dir, name string, args ...string) (string, error) {
	if m.tags != "" {
		args = append(args, "-tags", m.tags)
	}
	cmd := exec.Command(name, append(args, m.pkg)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "CI=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
