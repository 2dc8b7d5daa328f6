package capture

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields, from the agent's model.proto.
const (
	messageTimestamp     = 1 // UnixDogstatsdMsg
	messagePayloadSize   = 2
	messagePayload       = 3
	messagePID           = 4
	messageAncillarySize = 5
	messageAncillary     = 6

	stateEntities = 1 // TaggerState
	statePIDs     = 2

	entityID = 1 // Entity

	idPrefix = 1 // EntityId
	idUID    = 2

	mapKey   = 1 // an entry of any map
	mapValue = 2
)

// containerPrefix is the kind of entity that a container is.
const containerPrefix = "container_id"

func appendMessage(b []byte, m Message) []byte {
	b = appendNumber(b, messageTimestamp, m.Time.UnixNano())
	b = appendNumber(b, messagePayloadSize, int64(len(m.Payload)))
	b = appendBytes(b, messagePayload, m.Payload)
	b = appendNumber(b, messagePID, int64(m.PID))
	b = appendNumber(b, messageAncillarySize, int64(len(m.Ancillary)))
	return appendBytes(b, messageAncillary, m.Ancillary)
}

// appendState appends a TaggerState, in the order of containers and of process
// IDs, so that the same state has the same bytes.
func appendState(b []byte, containers map[int]string) []byte {
	pids := slices.Sorted(maps.Keys(containers))
	ids := slices.Sorted(maps.Values(containers))
	for _, id := range slices.Compact(ids) {
		identity := appendBytes(appendBytes(nil, idPrefix, []byte(containerPrefix)), idUID, []byte(id))
		entry := appendBytes(nil, mapKey, []byte(entity(id)))
		entry = appendBytes(entry, mapValue, appendBytes(nil, entityID, identity))
		b = appendBytes(b, stateEntities, entry)
	}
	for _, pid := range pids {
		entry := appendNumber(nil, mapKey, int64(pid))
		entry = appendBytes(entry, mapValue, []byte(entity(containers[pid])))
		b = appendBytes(b, statePIDs, entry)
	}
	return b
}

// entity is a container as the agent names it.
func entity(id string) string { return containerPrefix + "://" + id }

// appendNumber appends a field, unless it has its default.
func appendNumber(b []byte, field protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// appendBytes appends a field, unless it is empty.
func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}
