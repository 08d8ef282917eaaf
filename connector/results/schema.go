package results

import _ "embed"

// namespace is that of the XML result files.
const namespace = "urn:einvoice:results:1"

// XSD describes the XML result files.
//
//go:embed schema/results.xsd
var XSD string

// JSONSchema describes the JSON result files (draft 2020-12).
//
//go:embed schema/results.schema.json
var JSONSchema string
