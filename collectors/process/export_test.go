package process

// What the tests need of the inside: the pure functions.
var (
	FoldersOf  = foldersOf
	ParseStart = parseStart
)
