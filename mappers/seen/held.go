package seen

import (
	"bytes"
	"slices"
)

// held are keys in memory: they and their values lie one after the other, so
// that neither is an allocation or anything for the collector to follow.
type held struct {
	texts   []byte
	entries []heldKey
	table   []uint32 // by hash, open addressing: 1 + an index into entries
}

// heldKey says where in texts a key and its value lie.
type heldKey struct {
	hash               uint64
	begin, keyEnd, end uint32
}

// minTable is the size of the first table; sizes are powers of two.
const minTable = 64

func (h *held) key(e *heldKey) []byte   { return h.texts[e.begin:e.keyEnd] }
func (h *held) value(e *heldKey) []byte { return h.texts[e.keyEnd:e.end] }

// find gives the value, which holds until the next add.
func (h *held) find(hash uint64, key []byte) ([]byte, bool) {
	mask := uint64(len(h.table) - 1)
	for at := hash; len(h.table) > 0; at++ {
		i := h.table[at&mask]
		if i == 0 {
			break
		}
		if e := &h.entries[i-1]; e.hash == hash && bytes.Equal(h.key(e), key) {
			return h.value(e), true
		}
	}
	return nil, false
}

// add is for a key that find does not find.
func (h *held) add(hash uint64, key, value []byte) {
	if 2*len(h.entries) >= len(h.table) {
		h.grow()
	}
	if size := len(key) + len(value); cap(h.texts)-len(h.texts) < size {
		h.texts = slices.Grow(h.texts, len(h.texts)+size)
	}
	e := heldKey{hash: hash, begin: uint32(len(h.texts))}
	h.texts = append(h.texts, key...)
	e.keyEnd = uint32(len(h.texts))
	h.texts = append(h.texts, value...)
	e.end = uint32(len(h.texts))
	h.entries = append(h.entries, e)
	h.put(hash, uint32(len(h.entries)))
}

func (h *held) put(hash uint64, i uint32) {
	mask := uint64(len(h.table) - 1)
	at := hash & mask
	for h.table[at] != 0 {
		at = (at + 1) & mask
	}
	h.table[at] = i
}

func (h *held) grow() {
	h.table = make([]uint32, max(minTable, 2*len(h.table)))
	h.entries = slices.Grow(h.entries, len(h.table)/2-len(h.entries))
	for i := range h.entries {
		h.put(h.entries[i].hash, uint32(i+1))
	}
}

func (h *held) clear() {
	h.texts, h.entries = h.texts[:0], h.entries[:0]
	clear(h.table)
}
