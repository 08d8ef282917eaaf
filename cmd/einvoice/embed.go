package main

import "embed"

// starterCSV is the mapping that init writes and the demo uses.
//
//go:embed starter/ventes.toml
var starterCSV string

// starter has the demo's exports and their mappings.
//
//go:embed starter
var starter embed.FS
