package problem

var platformEntries = []Entry{}
