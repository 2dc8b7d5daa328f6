// Package archive writes a removed log folder into one compressed file, before
// it is deleted for good.
//
//	folder, err := archive.Open("/mnt/archive")
//	saved, err := folder.Save(ctx, dir, archive.Meta{Service: "orders", Container: "4f1c2d3e4a5b", …}, room)
//
// The file is a gzipped tar in GNU's format, which takes names of any bytes and
// length; it appears under its name once it is complete and on disk. Regular
// files, folders and symbolic links are in it, with owner, mode and time. Pipes,
// sockets and devices are not, nor what cannot be read, what lies too deep, and
// files that are almost nothing but holes: each is reported.
//
// What is in the folder was written by tenants. It is opened by package beneath
// alone (J4), read in bounded memory, and no further than it said it was long.
// Before a byte is written the caller is asked whether there is room for the
// worst case, and again as it grows: an archive must not fill the disk that it
// is to relieve.
package archive
