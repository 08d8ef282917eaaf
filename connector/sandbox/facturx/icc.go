package facturx

import (
	"bytes"
	"encoding/binary"
)

// iccProfile makes an RGB display profile of version 2.1: sRGB's primaries,
// adapted to D50, and a gamma of 2.2.
func iccProfile() []byte {
	curve := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33")
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", describe("sRGB with gamma 2.2")},
		{"cprt", []byte("text\x00\x00\x00\x00No copyright\x00")},
		{"wtpt", xyz(0xf6d6, 0x10000, 0xd32d)},
		{"rXYZ", xyz(0x6fa2, 0x38f5, 0x0390)},
		{"gXYZ", xyz(0x6299, 0xb785, 0x18da)},
		{"bXYZ", xyz(0x24a0, 0x0f84, 0xb6cf)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	var table, body bytes.Buffer
	at := 128 + 4 + 12*len(tags)
	_ = binary.Write(&table, binary.BigEndian, uint32(len(tags)))
	for _, t := range tags {
		table.WriteString(t.name)
		_ = binary.Write(&table, binary.BigEndian, []uint32{uint32(at + body.Len()), uint32(len(t.data))})
		body.Write(t.data)
		body.Write(make([]byte, -len(t.data)&3)) // tags begin at multiples of four
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(at+body.Len()))
	copy(head[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	copy(head[24:], "\x07\xea\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00acsp") // 1 Jan 2026
	copy(head[68:], xyz(0xf6d6, 0x10000, 0xd32d)[8:])
	return append(append(head, table.Bytes()...), body.Bytes()...)
}

func xyz(x, y, z uint32) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, v := range []uint32{x, y, z} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// describe is a textDescriptionType: ASCII only, its other scripts empty.
func describe(s string) []byte {
	b := []byte("desc\x00\x00\x00\x00")
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)+1))
	b = append(append(b, s...), 0)
	return append(b, make([]byte, 4+4+2+1+67)...)
}
