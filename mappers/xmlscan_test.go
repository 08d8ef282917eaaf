package mappers

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// ourTokens are the tokens of a file in words; text that follows text is one.
func ourTokens(r io.Reader) (tokens []string, err error) {
	s := newXMLScanner(r)
	for {
		if err := s.next(); err != nil {
			return tokens, err
		}
		switch s.kind {
		case startTag:
			tokens = append(tokens, fmt.Sprintf("<%s %q", s.name, s.attributes))
			if s.empty {
				tokens = append(tokens, "/"+s.name)
			}
		case endTag:
			tokens = append(tokens, "/"+s.name)
		case charData:
			tokens = append(tokens, "="+string(s.text))
		case directive:
			tokens = append(tokens, "!"+string(s.text))
		}
	}
}

func theirTokens(data []byte) (tokens []string, err error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		t, err := d.Token()
		if err != nil {
			return tokens, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			var attributes []attribute
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					attributes = append(attributes, attribute{a.Name.Local, a.Value})
				}
			}
			tokens = append(tokens, fmt.Sprintf("<%s %q", t.Name.Local, attributes))
		case xml.EndElement:
			tokens = append(tokens, "/"+t.Name.Local)
		case xml.CharData:
			tokens = append(tokens, "="+string(t))
		case xml.Directive:
			tokens = append(tokens, "!"+string(t))
		}
	}
}

// sameTokens holds the scanner against encoding/xml: what one takes the other
// takes, as the same tokens.
func sameTokens(t *testing.T, data []byte) {
	ours, err := ourTokens(bytes.NewReader(data))
	if errors.Is(err, errElementTooLong) {
		return
	}
	theirs, their := theirTokens(data)
	if (err == io.EOF) != (their == io.EOF) {
		if foreignNames(data) {
			return // letters of names: they go by a table of 1998, we by Unicode
		}
		t.Fatalf("%q:\n%v, but %v", data, err, their)
	}
	if err != io.EOF {
		return
	}
	if a, b := strings.Join(ours, "\n"), strings.Join(theirs, "\n"); a != b && !bytes.Contains(data, []byte("<!")) {
		t.Fatalf("%q:\n%s\n\n%s", data, a, b)
	}
	slow, err := ourTokens(iotest.OneByteReader(bytes.NewReader(data)))
	if err != io.EOF || strings.Join(slow, "\n") != strings.Join(ours, "\n") {
		t.Fatalf("%q byte by byte:\n%q, %v", data, slow, err)
	}
}

func foreignNames(data []byte) bool {
	for _, c := range data {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

var tokenSeeds = []string{
	`<a/>`, `<a b="c" d='e"f'>x</a>`, `<p:a xmlns:p="u" p:b="1"><p:c/></p:a>`, `<a>&lt;&#233;&#xe9;&amp;</a>`, "<a>\r\nx\ry</a>",
	`<?xml version="1.0" encoding="utf-8"?><!-- c --><a><![CDATA[<x>]]]]></a>`, `<a>]]></a>`, `<a b=c/>`, `<a b/>`, `<a><b></a></b>`, `<a`, `</a>`,
	`<a>&nope;</a>`, `<a>&#x110000;</a>`, "<a>\x01</a>", "<a>\xff</a>", `<a:b:c/>`, `<:a/>`, `<1a/>`, `<a><!-- -- --></a>`, `<?xml version="1.1"?><a/>`,
	`<!DOCTYPE a [<!ENTITY b "c">]><a/>`, `<a b="<"/>`, `<a b="&#10;"/>`, `<a >x</a >`, `< a/>`, `<a/ >`, `<a b = "c"/>`, `<a b="1"c="2"/>`, `x<a/>y`, `<a/><b/>`,
	`<![CDATA[x]]>`, `<a>&amp</a>`, `<a>&;</a>`, `<a>&#;</a>`, `<a>&#0;</a>`, `<a>&#+1;</a>`, "<a>\ufffe</a>", `<?x?><a/>`, `<??><a/>`, `<?x><a/>`, `<a></a b="c">`, `<![x]]>`,
}

func TestTheScannerTakesWhatEncodingXMLTakes(t *testing.T) {
	for _, s := range tokenSeeds {
		sameTokens(t, []byte(s))
	}
	sameTokens(t, ublExport(20))
}

// FuzzTokens holds the scanner against encoding/xml.
func FuzzTokens(f *testing.F) {
	for _, s := range tokenSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(sameTokens)
}

// breaks tells whether the XPath engine answers with a panic.
func breaks(f *finder, at *element) (broke bool) {
	defer func() { broke = recover() != nil }()
	f.text(at)
	f.nodes(at)
	return false
}

// FuzzSelector evaluates a path at once and by the XPath engine.
func FuzzSelector(f *testing.F) {
	const file = `<r><a i="1"><b>x</b><b>y</b>t</a><a i="2"><b>z</b><c> x</c></a><c>x</c><d><a><b>w</b></a></d></r>`
	for _, s := range []string{"a/b", "a[b='y']/b", "a[@i='2']/c", "a[not(c)]/b", "a[b='z' and c]/@i", "a[b='q' or @i]/b", "a | c", "*", "*/b", "a[starts-with(normalize-space(.), 'z')]", "@i", "d/a/b", "a[.='xyt']/b", "c[.='x']"} {
		f.Add(s)
	}
	s := &xmlSource{m: &Mapping{}, at: &element{}, scan: newXMLScanner(strings.NewReader(file))}
	for s.scan.next() == nil {
		if _, err := s.token(0); err != nil {
			f.Fatal(err)
		}
	}
	root := s.at.first
	f.Fuzz(func(t *testing.T, path string) {
		at, err := newFinder(path)
		if err != nil || at.expr != nil && at.steps == nil || strings.Contains(path, "|") { // the engine gives a union in no order
			return
		}
		engine := &finder{}
		if engine.expr, err = compileXPath(path); err != nil {
			return // what the engine refuses, places.parse refused before
		}
		if breaks(engine, root) {
			return // Read refuses the file
		}
		got, ok := at.text(root)
		want, there := engine.text(root)
		if ok != there || got != want || len(at.nodes(root)) != len(engine.nodes(root)) {
			t.Fatalf("%q: %q %v (%d), the engine has %q %v (%d)", path, got, ok, len(at.nodes(root)), want, there, len(engine.nodes(root)))
		}
	})
}
