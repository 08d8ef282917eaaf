package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestArchivesHaveTheSameBytesWhateverTheOrderAndTheTimeOfDay(t *testing.T) {
	a, b := file{"a", []byte("one"), 0o755}, file{"b/c", []byte("two"), 0o644}
	one := release{out: t.TempDir(), when: time.Unix(1_700_000_000, 0).UTC()}
	two := release{out: t.TempDir(), when: time.Unix(1_700_000_000, 0).In(time.FixedZone("east", 7200)).UTC()}
	for _, write := range []func(r *release, files []file) error{
		func(r *release, files []file) error { return r.tarball("x", files) },
		func(r *release, files []file) error { return r.zip("x", files) },
	} {
		if err := write(&one, []file{a, b}); err != nil {
			t.Fatal(err)
		}
		if err := write(&two, []file{b, a}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"x.tar.gz", "x.zip"} {
		if x, y := read(t, one.out, name), read(t, two.out, name); x != y || x == "" {
			t.Errorf("%s: the bytes differ", name)
		}
	}
	later := release{out: t.TempDir(), when: one.when.Add(time.Hour)}
	if err := later.tarball("x", []file{a, b}); err != nil {
		t.Fatal(err)
	}
	if read(t, one.out, "x.tar.gz") == read(t, later.out, "x.tar.gz") {
		t.Error("the time of the commit is not in the archive")
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAnUnreleasedStateGoesBeforeTheReleaseForDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("dpkg is absent: not a Debian")
	}
	for _, c := range [][2]string{
		{"0.0.0-20261123032647-d908df4d42e3", "0.0.0-20261124000000-000000000000"},
		{"1.0.0-rc.1", "1.0.0"}, {"1.0.0", "1.0.1-0.20261124000000-000000000000"}, {"1.9.0", "1.10.0"},
	} {
		if err := exec.CommandContext(t.Context(), dpkg, "--compare-versions", debVersion(c[0]), "lt", debVersion(c[1])).Run(); err != nil {
			t.Errorf("%s should go before %s", c[0], c[1])
		}
	}
}

func TestBillOfMaterialsNamesWhatIsLinked(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Path: "einvoice"}, Deps: []*debug.Module{
		{Path: "example.org/b", Version: "v2.0.0+incompatible"},
		{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1"}}}}
	got := materials(info, "1.2.3", time.Unix(0, 0).UTC())
	var refs []string
	for _, c := range got.Components {
		refs = append(refs, c.Ref)
	}
	want := "pkg:golang/example.org/b@v2.0.0%2Bincompatible pkg:golang/example.org/fork@v1.0.1 pkg:golang/std@1.26.1"
	if strings.Join(refs, " ") != want || strings.Join(got.Dependencies[0].DependsOn, " ") != want {
		t.Errorf("got %v, want %s", refs, want)
	}
	if c := got.Metadata.Component; c.Version != "1.2.3" || c.Type != "application" {
		t.Errorf("described: %+v", c)
	}
}

func TestUnitOfThePackageServesTheUsualPlaces(t *testing.T) {
	for _, want := range []string{"ExecStart=/usr/bin/einvoice run -c /etc/einvoice/einvoice.toml\n", "ReadWritePaths=-/var/lib/einvoice\n", "ReadWritePaths=-/srv/einvoice\n"} {
		if !strings.Contains(unit(), want) {
			t.Errorf("unit lacks %q", want)
		}
	}
}
