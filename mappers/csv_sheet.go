package mappers

import (
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// unread stands in a workbook that was made of a CSV where the file had something
// that a cell cannot tell: cells too few or too many, bytes of another encoding, a
// text that is too long. The row is refused until somebody has written what
// belongs there: read as it stands, it would be an invoice with other columns.
const unread = "[?]"

// cells are all cells of a row that was kept, as texts of a workbook.
func (r *csvReader) cells(of *row) []string {
	n, fits := r.fit(of.Kept.Spans)
	cells := make([]string, 0, max(n, r.width))
	for i, at := range of.Kept.Spans[:n] {
		text, sound := r.charset.decode(at.of(of.Kept.Raw, r.split.quote))
		if !sound && r.wants(i) {
			text += " " + unread
		}
		cells = append(cells, text)
	}
	for !fits && len(cells) < r.width {
		cells = append(cells, unread)
	}
	if n > r.width {
		cells = append(cells[:r.width-1], strings.Join(cells[r.width-1:], " "+unread+" "))
	}
	for i, text := range cells {
		cells[i] = shortened(text)
	}
	return cells
}

// shortened is a text that Excel takes whole.
func shortened(text string) string {
	const most = excelize.TotalCellChars // two for some characters
	if len(text) <= most || utf8.RuneCountInString(text) <= most/2 {
		return text
	}
	return string([]rune(text)[:most/2]) + " " + unread
}
