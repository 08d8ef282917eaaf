package durable

import "os"

// MarkForeign tells Windows that a file came from outside (Mark-of-the-Web):
// Office opens it in its protected view, and nothing in it runs unasked. It is
// best effort, and false where the volume has no alternate streams to say so.
func MarkForeign(path string) bool {
	f, err := os.OpenFile(path+":Zone.Identifier", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	_, err = f.WriteString("[ZoneTransfer]\r\nZoneId=3\r\n")
	return f.Close() == nil && err == nil
}
