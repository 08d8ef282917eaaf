package mappers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"einvoice/connector/problem"
)

// Limits of a look-up file, which is held in memory.
const (
	maxLookupBytes = 64 << 20
	maxLookupKeys  = 500_000
)

// lookup is a [lookup.x]: a second file with a row, or an element, per key. It
// is read when an export is, and again when it changed since.
type lookup struct {
	file    string
	shown   string // the key's column, for messages
	reader  *Mapping
	key     selector
	columns map[string]selector

	mu       sync.Mutex
	modified time.Time
	size     int64
	rows     map[string][]string // by folded key; cells by place
}

// lookupColumn is a column of a look-up file.
type lookupColumn struct {
	of  *lookup
	sel selector
}

// lookupFiles compiles [lookup.x]; columns are added as rules name them.
func (c *compiler) lookupFiles(m *Mapping) {
	for name, f := range c.file.Lookup {
		at := "lookup." + name
		if f.File == "" || f.Key == "" {
			c.wrong(at, `needs file and key: { file = "clients.csv", key = "Code" }`)
			continue
		}
		path := f.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.dir, filepath.FromSlash(path))
		}
		l := &lookup{file: path, shown: f.Key, reader: &Mapping{Name: at}, columns: map[string]selector{}}
		in := inputFile{Format: formatCSV}
		switch strings.ToLower(filepath.Ext(f.File)) {
		case ".xlsx", ".xlsm":
			in.Format = formatXLSX
		case ".xml":
			in.Format = formatXML
		}
		sub := &compiler{index: c.index, file: mappingFile{Input: in}}
		sub.places = places{shape: sub.file.shape(), index: map[string]int{}}
		l.reader.shape = sub.places.shape
		l.reader.input = input{
			format: in.Format, quote: '"', sheet: f.Sheet, encoding: c.encoding(f.Encoding),
			delimiter: c.delimiter(f.Delimiter), header: c.header(f.Header), shortRows: true,
		}
		if in.Format == formatXML {
			if f.Each == "" {
				c.wrong(at, `needs each: the path of an element with a key, such as "/clients/client"`)
				continue
			}
			l.reader.each = sub.elementPaths(at+".each", f.Each)
			l.reader.lines.each, _ = sub.selector(at, "*")
		}
		l.key, _ = sub.selector(at+".key", f.Key)
		l.reader.places = sub.places.list
		c.mistakes = append(c.mistakes, sub.mistakes...)
		c.lookups[name] = l
		m.lookups = append(m.lookups, l)
	}
}

// lookupColumn reads "clients.SIRET".
func (c *compiler) lookupColumn(path string, v any) *lookupColumn {
	text, ok := c.text(path, v)
	if !ok {
		return nil
	}
	name, column, _ := strings.Cut(text, ".")
	l := c.lookups[name]
	if l == nil || column == "" {
		var names []string
		for n := range c.lookups {
			names = append(names, n)
		}
		c.wrong(path, "is %q, but must be a [lookup.x] and a column of it, such as \"clients.SIRET\"; there are: %s", text, strings.Join(names, ", "))
		return nil
	}
	sel, known := l.columns[column]
	if !known {
		p := places{shape: l.reader.shape, index: map[string]int{}, list: l.reader.places}
		var err error
		if sel, err = p.add(column); err != nil {
			c.wrong(path, "%v", err)
			return nil
		}
		l.reader.places, l.columns[column] = p.list, sel
	}
	return &lookupColumn{l, sel}
}

// find gives the value for a key; an empty one is a value.
func (c *lookupColumn) find(key string) (string, *flaw) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	row, ok := c.of.rows[foldKey(key)]
	if !ok {
		return "", &flaw{code: codeNoLookup, expected: c.of.shown, args: map[string]string{"lookup": filepath.Base(c.of.file), "value": key}}
	}
	return trimSpace(row[c.sel.place]), nil
}

// foldKey makes one of keys that people write alike: "C0012 " and "c0012".
func foldKey(key string) string { return strings.ToLower(trimSpace(key)) }

// refresh reads the look-up files that changed. The error is a problem.Problem.
func (m *Mapping) refresh(ctx context.Context) error {
	for _, l := range m.lookups {
		if err := l.refresh(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return problem.Problem{
				Code: codeLookupFile, Severity: problem.Refuse, Value: l.file,
				Position: problem.Position{File: filepath.Base(l.file)}, Args: map[string]string{"reason": err.Error()},
			}
		}
	}
	return nil
}

func (l *lookup) refresh(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := os.Stat(l.file)
	if err != nil {
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err
		}
		return err
	}
	if l.rows != nil && info.ModTime().Equal(l.modified) && info.Size() == l.size {
		return nil
	}
	if info.Size() > maxLookupBytes {
		return fmt.Errorf("larger than %d MB", maxLookupBytes>>20)
	}
	rows, err := l.read(ctx)
	if err != nil {
		return err
	}
	l.rows, l.modified, l.size = rows, info.ModTime(), info.Size()
	return nil
}

// read gives all rows by their key. The first of two rows with one key counts.
func (l *lookup) read(ctx context.Context) (map[string][]string, error) {
	e := Export{Name: filepath.Base(l.file), Open: func() (io.ReadSeekCloser, error) { return os.Open(l.file) }}
	rows := map[string][]string{}
	keep := func(n node) error {
		cells := make([]string, len(l.reader.places))
		for i := range cells {
			cells[i], _ = n.cell(i)
		}
		key := foldKey(cells[l.key.place])
		if _, known := rows[key]; !known && key != "" {
			rows[key] = cells
		}
		if len(rows) > maxLookupKeys {
			return fmt.Errorf("more than %d keys", maxLookupKeys)
		}
		return ctx.Err()
	}
	return rows, l.each(e, keep)
}

// each passes every row or element of the file.
func (l *lookup) each(e Export, keep func(node) error) error {
	switch l.reader.input.format {
	case formatXML:
		return l.eachElement(e, keep)
	case formatXLSX:
		book, err := openWorkbook(e)
		if err != nil {
			return err
		}
		defer book.Close()
		r, problems, err := l.reader.openSheet(book, e)
		if err != nil {
			return err
		}
		return l.eachRow(e, sheetRows{r}, r.grid, problems, keep)
	}
	r, problems, err := openCSV(l.reader, e, false)
	if err != nil {
		return err
	}
	return l.eachRow(e, r, r.grid, problems, keep)
}

func (l *lookup) eachElement(e Export, keep func(node) error) error {
	in, err := l.reader.openXML(e, false)
	if err != nil {
		return err
	}
	defer in.close()
	for {
		d, err := in.source.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = keep(d.head)
		}
		if err != nil {
			return err
		}
	}
}

// eachRow passes the rows of a table whose header has all the columns asked for.
func (l *lookup) eachRow(e Export, rows rowReader, g *grid, problems []problem.Problem, keep func(node) error) error {
	defer rows.Close()
	for i, at := range g.columns {
		if at < 0 {
			p := l.reader.places[i]
			problems = append(problems, problem.Problem{Code: codeNoColumn, Severity: problem.Refuse, Value: p.text,
				Expected: g.suggest(l.reader, []selector{{place: i}}), Position: problem.Position{File: e.Name, Row: g.head.row}})
		}
	}
	if refuses(problems) {
		return problems[0]
	}
	for {
		r, err := rows.next()
		if err == io.EOF {
			return nil
		}
		if err == nil && r.Torn == nil { // a neighbour's cells are worse than none
			err = keep(rowNode{g, r})
		}
		if err != nil {
			return err
		}
	}
}
