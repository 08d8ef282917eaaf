package drop_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"einvoice/connector/drop"
	"einvoice/connector/problem"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(now *time.Time) func() time.Time { return func() time.Time { return *now } }

func same(t *testing.T, dir string) *drop.Folder {
	t.Helper()
	f, err := drop.NewFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSecondLiveOwnerIsRefused(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	claim, foreign, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now))
	if err != nil || foreign {
		t.Fatalf("first claim: foreign %v, %v", foreign, err)
	}
	now = now.Add(2 * time.Minute)
	_, foreign, err = drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now))
	p, ok := errors.AsType[problem.Problem](err)
	if !ok || p.Code != "E1009" || !foreign || !strings.Contains(p.Message(problem.French), dir) {
		t.Fatalf("second claim: foreign %v, %v", foreign, err)
	}
	claim.Release()
	if _, foreign, err = drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now)); err != nil || !foreign {
		t.Errorf("claim after release: foreign %v, %v", foreign, err)
	}
}

func TestHeartbeatKeepsOwnershipAndStaleMarkerIsTakenOver(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	first, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		now = now.Add(time.Minute)
		if err := first.Beat(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	other := same(t, dir)
	if _, _, err := drop.ClaimOwner(t.Context(), other, drop.Owner{ID: "ledger-2"}, at(&now)); err == nil {
		t.Fatal("an owner that lives was robbed")
	}
	now = now.Add(3 * time.Minute) // the first one stands still
	claim, foreign, err := drop.ClaimOwner(t.Context(), other, drop.Owner{ID: "ledger-2"}, at(&now))
	if err != nil || !foreign {
		t.Fatalf("stale marker: foreign %v, %v", foreign, err)
	}
	if p, ok := errors.AsType[problem.Problem](first.Beat(t.Context(), now)); !ok || p.Code != "E1009" {
		t.Error("the first owner woke up and did not see that it lost the folder")
	}
	claim.Release()
}

func TestSameLedgerAdoptsItsMarkerAfterACrash(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	for _, place := range []*drop.Folder{f, same(t, dir)} {
		if _, foreign, err := drop.ClaimOwner(t.Context(), place, drop.Owner{ID: "ledger-1"}, at(&now)); err != nil || foreign {
			t.Errorf("foreign %v, %v", foreign, err)
		}
	}
}

func TestTakeOverIsToldUntilTheFirstBeat(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	if _, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	for _, clean := range []bool{false, true, true} { // starts that end by a crash or an error before foreign was acted on
		claim, foreign, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now))
		if err != nil || !foreign {
			t.Fatalf("foreign %v, %v", foreign, err)
		}
		if clean {
			claim.Release()
		}
	}
	claim, _, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	if err := claim.Beat(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if _, foreign, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now)); err != nil || foreign {
		t.Errorf("after the first beat: foreign %v, %v", foreign, err)
	}
	claim.Release()
	if _, foreign, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now)); err != nil || foreign {
		t.Errorf("after the release: foreign %v, %v", foreign, err)
	}
}

func TestReleaseLeavesTheMarkerOfAnother(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	claim, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, _, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now)); err != nil {
		t.Fatal(err)
	}
	claim.Release()
	if _, err := os.Stat(filepath.Join(dir, drop.OwnerMarker)); err != nil {
		t.Errorf("the other one's marker is gone: %v", err)
	}
}

func TestUnreadableMarkerIsForeign(t *testing.T) {
	f, dir := newFolder(t)
	put(t, dir, drop.OwnerMarker, "not json")
	now := noon
	if _, foreign, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now)); err != nil || !foreign {
		t.Errorf("foreign %v, %v", foreign, err)
	}
}

func TestHeartbeatFromTheFutureDoesNotLiveForEver(t *testing.T) {
	f, dir := newFolder(t)
	now := noon.AddDate(5, 0, 0)
	if _, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now)); err != nil {
		t.Fatal(err)
	}
	now = noon
	if _, foreign, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-2"}, at(&now)); err != nil || !foreign {
		t.Errorf("foreign %v, %v", foreign, err)
	}
}

func TestRemovedMarkerComesBack(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	claim, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, drop.OwnerMarker)); err != nil {
		t.Fatal(err)
	}
	if err := claim.Beat(t.Context(), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, drop.OwnerMarker)); err != nil {
		t.Error(err)
	}
}

// generation is where a ledger stands in its life.
func generation(id string, n *int64) drop.Owner {
	return drop.Owner{ID: id, Generation: func() int64 { return *n }}
}

func TestAnOlderGenerationOfTheSameLedgerIsForeign(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	claimed := func(n int64) bool {
		t.Helper()
		claim, foreign, err := drop.ClaimOwner(t.Context(), same(t, dir), generation("ledger-1", &n), at(&now))
		if err != nil {
			t.Fatal(err)
		}
		n++ // it sends
		claim.Release()
		return foreign
	}
	_ = f
	if claimed(5) || claimed(7) {
		t.Error("a ledger that goes on is doubted")
	}
	if !claimed(7) {
		t.Error("a backup that was put back is believed")
	}
	if !claimed(9) {
		t.Error("nobody acted on the doubt, and it was forgotten")
	}
}

// unsure publishes, and says that it failed.
type unsure struct {
	drop.Place
	failures int
}

func (u *unsure) Publish(ctx context.Context, name string, content io.Reader) error {
	err := u.Place.Publish(ctx, name, content)
	if u.failures--; err == nil && u.failures >= 0 {
		return drop.ErrBusy
	}
	return err
}

// A server that breaks off after it took the marker must not make a ledger doubt
// itself; nor may it hide that the place was another's.
func TestAClaimThatFailedAfterItsMarkerIsOurs(t *testing.T) {
	_, dir := newFolder(t)
	now, n := noon, int64(5)
	owner := generation("ledger-1", &n)
	owner.Run = "run-1"
	claimed := func(owner drop.Owner, failures int) (foreign bool) {
		t.Helper()
		place := &unsure{same(t, dir), failures}
		for range failures {
			if _, _, err := drop.ClaimOwner(t.Context(), place, owner, at(&now)); err == nil {
				t.Fatal("the claim did not fail")
			}
		}
		claim, foreign, err := drop.ClaimOwner(t.Context(), place, owner, at(&now))
		if err != nil {
			t.Fatal(err)
		}
		claim.Release()
		return foreign
	}
	if claimed(owner, 2) {
		t.Error("a marker of the same run was taken for a later state's")
	}
	if owner.Run = "run-2"; !claimed(owner, 0) {
		t.Error("a backup that was put back is believed")
	}
	other := drop.Owner{ID: "ledger-2", Generation: owner.Generation, Run: "run-3"}
	if !claimed(other, 2) {
		t.Error("a failed claim hid that another ledger had the place")
	}
}

func TestACloneOnAnotherMachineIsRefusedWhileTheFirstLives(t *testing.T) {
	f, dir := newFolder(t)
	now := noon
	claim, _, err := drop.ClaimOwner(t.Context(), f, drop.Owner{ID: "ledger-1"}, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, drop.OwnerMarker)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	put(t, dir, drop.OwnerMarker, strings.Replace(string(data), `"`+host+`"`, `"elsewhere"`, 1))
	if _, _, err := drop.ClaimOwner(t.Context(), same(t, dir), drop.Owner{ID: "ledger-1"}, at(&now)); err == nil {
		t.Error("two machines serve one folder with copies of one ledger")
	}
	if err := claim.Beat(t.Context(), now.Add(time.Minute)); err == nil {
		t.Error("the first one did not see the other")
	}
}
