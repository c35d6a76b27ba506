package avroio

import (
	"strconv"
	"strings"
)

// Canonical returns the schema's Parsing Canonical Form: what is left when everything
// that does not matter for decoding is taken away.
func (s *Schema) Canonical() string {
	var b strings.Builder
	writeCanonical(&b, s.root, map[*Type]bool{})
	return b.String()
}

// Fingerprint returns the CRC-64-AVRO of the canonical form, by which Avro's single
// object encoding names schemas.
func (s *Schema) Fingerprint() uint64 { return s.fingerprint }

func writeCanonical(b *strings.Builder, t *Type, written map[*Type]bool) {
	if t.Kind.named() {
		if written[t] {
			b.WriteString(quoted(t.Name))
			return
		}
		written[t] = true
		b.WriteString(`{"name":` + quoted(t.Name) + `,"type":"` + t.Kind.String() + `"`)
	}
	switch t.Kind {
	case KindRecord:
		b.WriteString(`,"fields":[`)
		for i, f := range t.Fields {
			comma(b, i)
			b.WriteString(`{"name":` + quoted(f.Name) + `,"type":`)
			writeCanonical(b, f.Type, written)
			b.WriteByte('}')
		}
		b.WriteString(`]}`)
	case KindEnum:
		b.WriteString(`,"symbols":[`)
		for i, symbol := range t.Symbols {
			comma(b, i)
			b.WriteString(quoted(symbol))
		}
		b.WriteString(`]}`)
	case KindFixed:
		b.WriteString(`,"size":` + strconv.Itoa(t.Size) + `}`)
	case KindArray:
		b.WriteString(`{"type":"array","items":`)
		writeCanonical(b, t.Items, written)
		b.WriteByte('}')
	case KindMap:
		b.WriteString(`{"type":"map","values":`)
		writeCanonical(b, t.Items, written)
		b.WriteByte('}')
	case KindUnion:
		b.WriteByte('[')
		for i, branch := range t.Branches {
			comma(b, i)
			writeCanonical(b, branch, written)
		}
		b.WriteByte(']')
	default:
		b.WriteString(`"` + t.Kind.String() + `"`)
	}
}

func quoted(name string) string { return string(AppendJSONString(nil, []byte(name))) }

func comma(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

// emptyFingerprint is the CRC-64-AVRO of no bytes, and the polynomial of the rest.
const emptyFingerprint = 0xc15d213aa4d7a795

var fingerprintTable = func() (table [256]uint64) {
	for i := range table {
		crc := uint64(i)
		for range 8 {
			crc = crc>>1 ^ emptyFingerprint&-(crc&1)
		}
		table[i] = crc
	}
	return table
}()

func fingerprint(canonical string) uint64 {
	crc := uint64(emptyFingerprint)
	for i := range len(canonical) {
		crc = crc>>8 ^ fingerprintTable[byte(crc)^canonical[i]]
	}
	return crc
}
