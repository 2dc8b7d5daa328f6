package line_test

import (
	"testing"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

// eighty is a line of 80 bytes as clients write them.
const eighty = "checkout.payment.request.duration:231|d|#env:prod,region:eu-central-1,version:12"

const sixtyFour = "ci-4f1c9a20e07b6d5c8f3a1b2c3d4e5f60718293a4b5c6d7e8f9012345678abcde"

func BenchmarkAppend(b *testing.B) {
	marks := map[string]line.Mark{
		"plain": line.Plain(), "strip": line.Strip(), "field": line.Field(sixtyFour, false), "override": line.Field(sixtyFour, true),
		"inode": line.Field("in-4026532567", false), "tags": line.Tags([]string{"service:orders", "task_family:shop-orders", "container_name:web"}, false),
	}
	for _, name := range []string{"plain", "strip", "field", "override", "inode", "tags"} {
		b.Run(name, func(b *testing.B) {
			mark, in, out := marks[name], []byte(eighty), make([]byte, 0, 8192)
			b.ReportAllocs()
			for b.Loop() {
				out = mark.Append(out[:0], in)
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	datagram := []byte(eighty + "\n" + eighty + "\n" + eighty + "\n" + eighty + "\n")
	b.ReportAllocs()
	for b.Loop() {
		for rest, ok := datagram, true; ok; {
			_, rest, ok = line.Next(rest)
		}
	}
}

func BenchmarkName(b *testing.B) {
	in := []byte(eighty)
	b.ReportAllocs()
	for b.Loop() {
		line.Name(in)
	}
}

func BenchmarkContext(b *testing.B) {
	in := []byte(eighty)
	b.ReportAllocs()
	for b.Loop() {
		line.Context(in)
	}
}
