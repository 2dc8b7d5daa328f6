package capture

// Fill makes a capture one that takes so many bytes more.
func (w *Writer) Fill(left int) { w.left = left }
