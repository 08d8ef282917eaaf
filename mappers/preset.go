package mappers

import (
	"embed"
	"path"
	"strings"
)

//go:embed presets/*.toml
var presetFiles embed.FS

// Presets are the names of the mappings that come with the program.
func Presets() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		return nil // embedded: cannot fail
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// Preset is the text of a mapping that comes with the program.
func Preset(name string) ([]byte, bool) {
	data, err := presetFiles.ReadFile(path.Join("presets", path.Base(name)+".toml"))
	return data, err == nil
}
