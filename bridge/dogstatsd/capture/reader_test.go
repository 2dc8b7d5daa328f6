package capture_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/berth-dev/berth/bridge/dogstatsd/capture"
)

// model is what the agent's model.proto has of a capture, as a descriptor.
const model = `
name: "model.proto" package: "datadog.model.v1" syntax: "proto3"
message_type { name: "UnixDogstatsdMsg"
  field { name: "timestamp"     number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "payloadSize"   number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "payload"       number: 3 type: TYPE_BYTES label: LABEL_OPTIONAL }
  field { name: "pid"           number: 4 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "ancillarySize" number: 5 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "ancillary"     number: 6 type: TYPE_BYTES label: LABEL_OPTIONAL }
}
message_type { name: "EntityId"
  field { name: "prefix" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "uid"    number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type { name: "Entity"
  field { name: "id" number: 1 type: TYPE_MESSAGE type_name: ".datadog.model.v1.EntityId" label: LABEL_OPTIONAL }
}
message_type { name: "TaggerState"
  field { name: "state"  number: 1 type: TYPE_MESSAGE type_name: ".datadog.model.v1.TaggerState.StateEntry" label: LABEL_REPEATED }
  field { name: "pidMap" number: 2 type: TYPE_MESSAGE type_name: ".datadog.model.v1.TaggerState.PidMapEntry" label: LABEL_REPEATED }
  nested_type { name: "StateEntry" options { map_entry: true }
    field { name: "key"   number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".datadog.model.v1.Entity" label: LABEL_OPTIONAL }
  }
  nested_type { name: "PidMapEntry" options { map_entry: true }
    field { name: "key"   number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  }
}`

// A reader goes through a capture as the agent's TrafficCaptureReader does.
type reader struct {
	contents []byte
	model    protoreflect.FileDescriptor
}

// open refuses what the agent would not take for a capture of version 3.
func open(t *testing.T, contents []byte) reader {
	t.Helper()
	magic := []byte{0xD4, 0x74, 0xD0, 0x60, 0xF0 | 3, 0xFF, 0x00, 0x00}
	if !bytes.HasPrefix(contents, magic) {
		t.Fatalf("the file begins with %x", contents[:min(8, len(contents))])
	}
	var described descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(model), &described); err != nil {
		t.Fatal(err)
	}
	file, err := protodesc.NewFile(&described, nil)
	if err != nil {
		t.Fatal(err)
	}
	return reader{contents: contents, model: file}
}

// messages reads up to the four zero bytes.
func (r reader) messages(t *testing.T) (all []capture.Message) {
	t.Helper()
	for at := 8; at+4 <= len(r.contents); {
		size := int(binary.LittleEndian.Uint32(r.contents[at:]))
		at += 4
		if size == 0 || at+size > len(r.contents) {
			break
		}
		m := r.decode(t, "UnixDogstatsdMsg", r.contents[at:at+size])
		payload, ancillary := value(m, "payload").Bytes(), value(m, "ancillary").Bytes()
		if int(value(m, "payloadSize").Int()) != len(payload) || int(value(m, "ancillarySize").Int()) != len(ancillary) {
			t.Errorf("the sizes in %v are wrong", m)
		}
		if len(ancillary) == 0 {
			ancillary = nil
		}
		all = append(all, capture.Message{
			Time: time.Unix(0, value(m, "timestamp").Int()), PID: int(value(m, "pid").Int()), Ancillary: ancillary, Payload: payload,
		})
		at += size
	}
	return all
}

// state reads from the end: containers by process, and the identity of each
// entity.
func (r reader) state(t *testing.T) (pids map[int32]string, entities map[string]string) {
	t.Helper()
	end := len(r.contents) - 4
	size := int(binary.LittleEndian.Uint32(r.contents[end:]))
	if separator := r.contents[end-size-4 : end-size]; !bytes.Equal(separator, make([]byte, 4)) {
		t.Errorf("before the state there is %x", separator)
	}
	m := r.decode(t, "TaggerState", r.contents[end-size:end])
	pids, entities = map[int32]string{}, map[string]string{}
	value(m, "pidMap").Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		pids[int32(k.Int())] = v.String()
		return true
	})
	value(m, "state").Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		id := value(v.Message(), "id").Message()
		entities[k.String()] = value(id, "prefix").String() + " " + value(id, "uid").String()
		return true
	})
	return pids, entities
}

// decode also fails for fields that the agent does not know.
func (r reader) decode(t *testing.T, name protoreflect.Name, raw []byte) protoreflect.Message {
	t.Helper()
	m := dynamicpb.NewMessage(r.model.Messages().ByName(name))
	if err := proto.Unmarshal(raw, m); err != nil {
		t.Fatal(err)
	}
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		t.Errorf("%s has unknown fields %x", name, unknown)
	}
	return m
}

func value(m protoreflect.Message, field protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(field))
}
