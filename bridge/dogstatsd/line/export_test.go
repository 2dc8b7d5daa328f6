package line

// Unusual is Append without its short way for usual lines.
func (m *Mark) Unusual(dst, ln []byte) []byte { return m.unusual(dst, ln) }
