package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// ErrFull is returned for a message that would make the file longer than the
// agent can read. What was written before is whole.
var ErrFull = errors.New("capture is full")

// header is what files of version 3 begin with.
const header = "\xD4\x74\xD0\x60\xF3\xFF\x00\x00"

// most is how long records can be together: the agent's place in a file has 32
// bits.
const most = math.MaxUint32 - len(header) - 4

// A Message is one datagram.
type Message struct {
	Time      time.Time // when it came
	PID       int       // of the sender; 0: not known
	Ancillary []byte    // control messages that came with it; may be nil
	Payload   []byte    // not kept after Write
}

// A Writer writes one capture. It is not safe for concurrent use.
type Writer struct {
	out    *bufio.Writer
	record []byte // kept for its capacity
	left   int    // bytes that records may still take
}

// NewWriter begins a capture.
func NewWriter(w io.Writer) (*Writer, error) {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString(header); err != nil {
		return nil, fmt.Errorf("begin capture: %w", err)
	}
	return &Writer{out: out, left: most}, nil
}

// Write adds a datagram. One without payload is left out.
func (w *Writer) Write(m Message) error {
	if len(m.Payload) == 0 {
		return nil
	}
	w.record = appendMessage(append(w.record[:0], 0, 0, 0, 0), m)
	if len(w.record) > w.left {
		return ErrFull
	}
	binary.LittleEndian.PutUint32(w.record, uint32(len(w.record)-4))
	w.left -= len(w.record)
	if _, err := w.out.Write(w.record); err != nil {
		return fmt.Errorf("write datagram to capture: %w", err)
	}
	return nil
}

// Close ends the capture with the IDs of containers by process ID, and hands
// all of it to the writer below, which stays open.
func (w *Writer) Close(containers map[int]string) error {
	state := appendState(make([]byte, 4), containers)
	state = binary.LittleEndian.AppendUint32(state, uint32(len(state)-4))
	if _, err := w.out.Write(state); err != nil {
		return fmt.Errorf("end capture: %w", err)
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("end capture: %w", err)
	}
	return nil
}
