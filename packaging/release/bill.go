package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The parts of CycloneDX 1.5 that a static Go binary has something to say to.
type (
	sbom struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl,omitempty"`
		Hashes     []checksum `json:"hashes,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	checksum struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// bill writes the bill of materials of the binary and its full build: what the
// toolchain has noted in them, and so what go version -m says of them as well.
// What is linked into the first is linked into the second.
func (s *stage) bill(binary, full string) error {
	info, err := buildinfo.ReadFile(full)
	if err != nil {
		return fmt.Errorf("read build info: %w", err)
	}
	sum, err := sumOf(binary)
	if err != nil {
		return err
	}
	fullSum, err := sumOf(full)
	if err != nil {
		return err
	}
	b := sbom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{
		Timestamp: s.time.Format("2006-01-02T15:04:05Z"),
		Component: component{
			Type: "application", Ref: "berth", Name: "berth", Version: s.version,
			Hashes: []checksum{{"SHA-256", sum}},
		},
	}}
	for _, setting := range info.Settings {
		if setting.Key == "-tags" {
			continue // the full build's alone
		}
		b.Metadata.Component.Properties = append(b.Metadata.Component.Properties, property{"go:" + setting.Key, setting.Value})
	}
	std := strings.TrimPrefix(info.GoVersion, "go")
	b.Components = []component{{Type: "library", Ref: "pkg:golang/std@" + std, Name: "std", Version: std, PURL: "pkg:golang/std@" + std}}
	for _, m := range info.Deps {
		sum := m.Sum
		if m.Replace != nil {
			sum = m.Replace.Sum
		}
		purl := "pkg:golang/" + m.Path + "@" + m.Version
		b.Components = append(b.Components, component{
			Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl,
			Properties: []property{{"go:sum", cmp.Or(sum, "none")}},
		})
	}
	b.Components = append(b.Components, component{
		Type: "application", Ref: "berth-etcd", Name: "berth-etcd", Version: s.version, Hashes: []checksum{{"SHA-256", fullSum}},
	})
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := s.put("doc/sbom.cdx.json", text); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.out, fmt.Sprintf("berth_%s_linux_%s.cdx.json", s.version, s.arch)), text, 0o644)
}
