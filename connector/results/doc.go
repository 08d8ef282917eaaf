// Package results writes the files that answer the ERP: the acknowledgement and
// the summary of each export, and the status files. It also publishes the files
// that others rendered, such as correctable copies.
//
// A file is rendered once, as a stream into the blob store; its name and bytes
// are fixed in the ledger before anybody sees it. Publishing is at least once:
// after a crash the same bytes appear again under the same name, so a reader
// ignores lines whose seq it has already seen.
package results
