package problem

var sendingEntries = []Entry{}
