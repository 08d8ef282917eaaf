// Package outbox is the way out: it takes exports from the drops, turns them
// into invoices, checks them, sends each once and settles what became of it.
//
// A file's trip, and what is on disk after each step:
//
//	take      the bytes are in the spool, then a row names them; only then is
//	          the original moved to the archive
//	map       invoices are staged; one transaction releases them all
//	send      the intent is committed before the POST, the outcome after it
//	look up   a POST whose answer is unknown is looked for, and repeated only on
//	          proof that it did not arrive
//	settle    what was refused goes back as a copy that can be corrected
//
// A crash between any two steps is repaired by the next start from what is on
// disk. Nothing here knows how a place, a format or the API works.
package outbox
