package archive

// Word makes a name safe.
var Word = word
