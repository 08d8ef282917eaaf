package problem

var mappingEntries = []Entry{}
