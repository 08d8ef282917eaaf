// Package quickjson writes and reads the JSON of the hot path, invoices and the
// platform's answers, without reflection. It means what encoding/json means;
// its tests hold one against the other.
package quickjson
