package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// bom is a CycloneDX 1.5 document, as much of it as a Go program can say of
// itself: what is linked in, not what go.mod mentions.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"` // RFC 3339
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOfMaterials writes NAME.cdx.json for a program.
func (r *release) billOfMaterials(program, name string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(materials(info, r.version, r.when), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".cdx.json"), append(data, '\n'), 0o644)
}

func materials(info *debug.BuildInfo, version string, when time.Time) bom {
	self := module("application", info.Main.Path, version)
	list := []component{module("library", "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		list = append(list, module("library", d.Path, d.Version))
	}
	slices.SortFunc(list, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	uses := dependency{Ref: self.Ref}
	for _, c := range list {
		uses.DependsOn = append(uses.DependsOn, c.Ref)
	}
	return bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Components: list, Dependencies: []dependency{uses},
		Metadata: metadata{Timestamp: when.Format(time.RFC3339), Component: self}}
}

// module names a Go module by its package URL, which is also its reference.
func module(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
}
