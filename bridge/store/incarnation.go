package store

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// sortable is Crockford's base 32: its digits sort as the bytes they stand for.
func sortable() *base32.Encoding {
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
}

// NewIncarnation returns a name for an incarnation of a host that begins now:
// 26 characters that sort after those of all former ones. A clock that went
// back since is made up for by after, the name that is to be beaten; it may be
// empty.
func NewIncarnation(now time.Time, after string) string {
	moment := uint64(max(0, now.UnixMilli()))
	if b, err := sortable().DecodeString(after); err == nil && len(b) == 16 {
		moment = max(moment, min(binary.BigEndian.Uint64(b)>>16, 1<<48-2)+1)
	}
	b := binary.BigEndian.AppendUint64(nil, moment<<16)[:6]
	random := make([]byte, 10)
	_, _ = rand.Read(random) // it never fails
	name := sortable().EncodeToString(append(b, random...))
	if name <= after {
		return after + name // not one of ours, and still to be beaten
	}
	return name
}
