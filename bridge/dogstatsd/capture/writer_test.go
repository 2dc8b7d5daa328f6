package capture_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/bridge/dogstatsd/capture"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func TestTheAgentReadsWhatWasWritten(t *testing.T) {
	messages := []capture.Message{
		{Time: at, PID: 4711, Payload: []byte("a:1|c\nb:2|g\n"), Ancillary: []byte{28, 0, 0, 0}},
		{Time: at.Add(time.Millisecond), Payload: bytes.Repeat([]byte("c:3|d\n"), 1300)},
		{Time: at.Add(time.Second), PID: 4712, Payload: []byte{0, 0xff}},
	}
	var file bytes.Buffer
	w := begin(t, &file)
	for _, m := range messages {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(map[int]string{4711: "4f1c", 4712: "9a20", 4713: "4f1c"}); err != nil {
		t.Fatal(err)
	}
	r := open(t, file.Bytes())
	if diff := cmp.Diff(messages, r.messages(t), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	pids, entities := r.state(t)
	wantPIDs := map[int32]string{4711: "container_id://4f1c", 4712: "container_id://9a20", 4713: "container_id://4f1c"}
	if diff := cmp.Diff(wantPIDs, pids); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	wantEntities := map[string]string{"container_id://4f1c": "container_id 4f1c", "container_id://9a20": "container_id 9a20"}
	if diff := cmp.Diff(wantEntities, entities); diff != "" {
		t.Errorf("entities (-want +got):\n%s", diff)
	}
}

func TestACaptureOfNothingIsWhole(t *testing.T) {
	var file bytes.Buffer
	w := begin(t, &file)
	if err := w.Write(capture.Message{Time: at, PID: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(nil); err != nil {
		t.Fatal(err)
	}
	r := open(t, file.Bytes())
	pids, entities := r.state(t)
	if got := r.messages(t); len(got)+len(pids)+len(entities) != 0 {
		t.Errorf("there is something in it: %v %v %v", got, pids, entities)
	}
}

func TestAFaultOfTheFileIsReported(t *testing.T) {
	w := begin(t, failing{})
	var failed error
	for range 100 {
		failed = errors.Join(failed, w.Write(capture.Message{Time: at, Payload: make([]byte, 8192)}))
	}
	if !errors.Is(failed, errDisk) {
		t.Errorf("Write returned %v", failed)
	}
	if err := w.Close(nil); !errors.Is(err, errDisk) {
		t.Errorf("Close returned %v", err)
	}
}

func TestACaptureEndsWhereTheAgentsPlaceEnds(t *testing.T) {
	var file bytes.Buffer
	w := begin(t, &file)
	w.Fill(100)
	for i, want := range []error{nil, capture.ErrFull, nil} {
		payload := bytes.Repeat([]byte("x"), []int{50, 40, 10}[i])
		if err := w.Write(capture.Message{Time: at, Payload: payload}); !errors.Is(err, want) {
			t.Errorf("Write of %d bytes returned %v, want %v", len(payload), err, want)
		}
	}
	if err := w.Close(map[int]string{1: "4f1c"}); err != nil {
		t.Fatal(err)
	}
	if got := open(t, file.Bytes()).messages(t); len(got) != 2 {
		t.Errorf("there are %d messages", len(got))
	}
}

var errDisk = errors.New("the disk is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errDisk }

func begin(t *testing.T, out io.Writer) *capture.Writer {
	t.Helper()
	w, err := capture.NewWriter(out)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
