package main

import "embed"

// starter has the mappings that init writes, and the demo's exports with theirs.
//
//go:embed starter
var starter embed.FS

// frenchStarter is the starter mapping for French column names, as the exports of
// the demo have them in either language.
const frenchStarter = "ventes.toml"

// starterOf is the starter mapping that init writes.
func starterOf(language string) string {
	if language == "en" {
		return "sales.toml"
	}
	return frenchStarter
}
