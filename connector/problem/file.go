package problem

var fileEntries = []Entry{}
