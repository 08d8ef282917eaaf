package mappers

import (
	"errors"
	"reflect"
	"sort"
	"strings"

	"einvoice/connector/setting"

	"github.com/pelletier/go-toml/v2"
)

// mappingFile is a mapping as written. Values of fields are texts (selectors)
// or inline tables, which compile reads.
type mappingFile struct {
	Mapping struct {
		Name        string `toml:"name"`
		Version     string `toml:"version"`
		Description string `toml:"description"`
		Extends     string `toml:"extends"`
	} `toml:"mapping"`
	Input    inputFile                 `toml:"input"`
	Match    matchFile                 `toml:"match"`
	Invoice  invoiceFile               `toml:"invoice"`
	Lines    linesFile                 `toml:"lines"`
	Charge   []chargeFile              `toml:"charge"`
	Attached []attachmentFile          `toml:"attachment"`
	Lookup   map[string]lookupFile     `toml:"lookup"`
	Map      map[string]map[string]any `toml:"map"`
	Check    *checkFile                `toml:"check"`
	Credit   *creditFile               `toml:"credit"`
	End      *completeFile             `toml:"complete"`
}

type inputFile struct {
	Format    string  `toml:"format"`
	Encoding  string  `toml:"encoding"`
	Delimiter string  `toml:"delimiter"`
	Quote     *string `toml:"quote"`
	Header    any     `toml:"header"`
	Skip      int     `toml:"skip"`
	Sheet     string  `toml:"sheet"`
	Decimal   string  `toml:"decimal"`
	Date      any     `toml:"date"`
	Rows      string  `toml:"rows"`
	ShortRows bool    `toml:"short_rows"`
	Doctype   bool    `toml:"doctype"`
	Where     string  `toml:"where"`
	Type      string  `toml:"type"`

	Tables map[string]tableFile `toml:"tables"`
}

type tableFile struct {
	File     string `toml:"file"`
	Sheet    string `toml:"sheet"`
	Key      any    `toml:"key"`
	Header   any    `toml:"header"`
	Optional bool   `toml:"optional"`
}

type matchFile struct {
	Name    any      `toml:"name"`
	Headers []string `toml:"headers"`
	Root    any      `toml:"root"`
	Record  string   `toml:"record"`
}

type invoiceFile struct {
	Key      any            `toml:"key"`
	Each     string         `toml:"each"`
	Start    string         `toml:"start"`
	End      string         `toml:"end"`
	Where    string         `toml:"where"`
	FillDown bool           `toml:"fill_down"`
	Fields   map[string]any `toml:"fields"`
}

type linesFile struct {
	Each       string         `toml:"each"`
	FirstRow   int            `toml:"first_row"`
	Where      string         `toml:"where"`
	IncludeTax bool           `toml:"prices_include_tax"`
	Fields     map[string]any `toml:"fields"`
}

type chargeFile struct {
	Each        string `toml:"each"`
	When        string `toml:"when"`
	Description any    `toml:"description"`
	Amount      string `toml:"amount"`
	Percent     string `toml:"percent"`
	Rate        any    `toml:"tax_rate"`
	Category    any    `toml:"tax_category"`
	Cascade     bool   `toml:"cascade"`
}

type attachmentFile struct {
	Each        string `toml:"each"`
	File        string `toml:"file"`
	Content     any    `toml:"content"`
	Filename    any    `toml:"filename"`
	MIME        any    `toml:"mime_type"`
	Description any    `toml:"description"`
	Required    bool   `toml:"required"`
}

type lookupFile struct {
	File      string `toml:"file"`
	Key       string `toml:"key"`
	Each      string `toml:"each"`
	Encoding  string `toml:"encoding"`
	Delimiter string `toml:"delimiter"`
	Sheet     string `toml:"sheet"`
	Header    any    `toml:"header"`
}

type checkFile struct {
	Tolerance  any    `toml:"tolerance"`
	OnMismatch string `toml:"on_mismatch"`
}

type creditFile struct {
	When          string `toml:"when"`
	NegativeTotal bool   `toml:"negative_total"`
}

type completeFile struct {
	Trailer string `toml:"trailer"`
	Record  string `toml:"record"`
	Count   string `toml:"count"`
	Total   string `toml:"total"`
}

// decodeFile reads a mapping file strictly. Unknown keys are collected and the
// rest is decoded all the same, so that one run shows every mistake; a file
// that is not TOML, or a value of a wrong type, ends it.
func decodeFile(data []byte) (f mappingFile, mistakes Errors, ok bool) {
	decoder := toml.NewDecoder(strings.NewReader(string(data))).DisallowUnknownFields()
	err := decoder.Decode(&f)
	if strict, is := errors.AsType[*toml.StrictMissingError](err); is {
		for _, e := range strict.Errors {
			line, col := e.Position()
			mistakes = append(mistakes, spot{line, col}.about("", unknownKey(e.Key())))
		}
		return f, mistakes, true
	}
	if decode, is := errors.AsType[*toml.DecodeError](err); is {
		line, col := decode.Position()
		return f, Errors{spot{line, col}.about(strings.Join(decode.Key(), "."), quoteHint(decode.Error()))}, false
	}
	if err != nil {
		return f, Errors{spot{1, 1}.about("", setting.Syntax(err.Error()))}, false
	}
	return f, nil, true
}

// quoteHint helps with the backslashes of regular expressions.
func quoteHint(message string) setting.Phrase {
	if strings.Contains(message, "escape") {
		return setting.Say(`%v; write regular expressions and Windows paths in single quotes: '(\d+)$'`, setting.Syntax(message))
	}
	return setting.Syntax(message)
}

func unknownKey(key toml.Key) setting.Phrase {
	whole := strings.Join(key, ".")
	known := knownKeys(key[:len(key)-1])
	if near := nearest(key[len(key)-1], known); near != "" {
		return setting.Say("unknown key %q; did you mean %q?", whole, near)
	}
	return setting.Say("unknown key %q; known are %s", whole, strings.Join(known, ", "))
}

// knownKeys are the keys of the table at path.
func knownKeys(path []string) []string {
	t := reflect.TypeFor[mappingFile]()
	for _, key := range path {
		next, ok := keysOf(t)[key]
		if !ok {
			return nil
		}
		for next.Kind() == reflect.Pointer || next.Kind() == reflect.Slice {
			next = next.Elem()
		}
		t = next
	}
	var names []string
	for name := range keysOf(t) {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("toml")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		keys[name] = f.Type
	}
	return keys
}
