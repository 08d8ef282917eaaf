package mappers

// The codes of the problems that this package finds; connector/problem has
// their texts.
const (
	codeNoColumn       = "E2001" // the header lacks a column that the mapping names
	codeTwoColumns     = "E2002" // two headers fit one name
	codeNoHeader       = "E2003" // empty file, or nothing that could be a header
	codeOpenQuote      = "E2004" // a quote is never closed
	codeBadBytes       = "E2005" // bytes that do not exist in the encoding
	codeDOSText        = "E2006" // looks like cp850
	codeLooksUTF8      = "E2007" // valid UTF-8 although another encoding is declared
	codeNotXLSX        = "E2010" // not a workbook
	codeEncrypted      = "E2011" // a workbook with a password
	codeOldXLS         = "E2012" // the .xls of Excel 97
	codeNoSheet        = "E2013" // the sheet does not exist
	codeHugeWorkbook   = "E2014" // too large once unzipped
	codeForeign        = "E2015" // macros or links to other workbooks
	codeDoctype        = "E2020" // a DOCTYPE
	codeBrokenXML      = "E2021" // not well-formed
	codeDeepXML        = "E2022" // nested too deep
	codeHugeElement    = "E2023" // one invoice is too large
	codeNoInvoice      = "E2024" // nothing in the file is an invoice
	codeNoMapping      = "E2030" // no mapping fits the file
	codeManyMappings   = "E2031" // several do
	codeNoTrailer      = "E2032" // the trailer record is missing: the file is cut
	codeTrailerCount   = "E2033" // the trailer states another count
	codeTrailerTotal   = "E2034" // the trailer states another total
	codeEntries        = "E2035" // accounting entries, not invoices
	codeNoPart         = "E2036" // a file of the export is missing
	codeLookupFile     = "E2037" // a look-up file cannot be read
	codeBroken         = "E2039" // a library broke on the file
	codeTwoParts       = "E2038" // two files for one table of an export
	codeRagged         = "E2101" // more or fewer cells than the header
	codeLongCell       = "E2102" // a cell beyond the limit
	codeKeyAgain       = "E2103" // rows of one invoice are not adjacent
	codeNoKey          = "E2104" // a row without the invoice's number
	codeManyRows       = "E2105" // an invoice beyond the limit of rows
	codeSheetError     = "E2106" // #N/A, #REF! ...
	codeTwice          = "E2107" // one number, two invoices
	codeNoHead         = "E2108" // lines whose invoice is not in its table
	codeNoStart        = "E2109" // typed records whose invoice has lost its first one
	codeWhoseRow       = "E2110" // a row without key behind one that is left out
	codeUnread         = "E2111" // [?] in a corrected copy
	codeNotNumber      = "E2201"
	codeEitherNumber   = "E2202" // 1.234: a thousand or one and a bit
	codeLongNumber     = "E2203" // beyond 19 digits
	codeFloatNumber    = "E2204" // 1,2E+05
	codeNotDate        = "E2205"
	codeSerialDate     = "E2206" // a date that became a number
	codeMissing        = "E2207" // no value where one is required
	codeUnknownCode    = "E2208" // not in the value table
	codeFloatID        = "E2209" // an identifier in scientific notation
	codeLostZero       = "E2210" // an identifier without its leading zero
	codeLostCharacter  = "E2211" // U+FFFD
	codeExpression     = "E2212" // a computation that cannot be done
	codeNotFlag        = "E2213" // neither yes nor no
	codeTotals         = "E2214" // the total stated in the file is not that of the lines
	codeNoLineForShare = "E2215" // a percentage of nothing
	codeNoLookup       = "E2216" // a key that the look-up file lacks
	codeNoAttachment   = "E2217" // the attachment is not there
	codeBigAttachment  = "E2218" // or too large
	codeBadAttachment  = "E2219" // or its base64 is none
)
