package cli

// What has no other way out of the package.
var (
	Printable     = printable
	PrintableJSON = printableJSON
	Duration      = duration
	Size          = size[int64]
)
