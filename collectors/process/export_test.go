package process

// FoldersOf is for the tests.
var FoldersOf = foldersOf
