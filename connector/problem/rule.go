package problem

var ruleEntries = []Entry{}
