package avro

import (
	"fmt"
	"hash/crc64"
	"strconv"
	"strings"
)

// Canonical returns the schema's Parsing Canonical Form: what is left when everything
// that does not matter for decoding is taken away.
func (s *Schema) Canonical() string {
	var b strings.Builder
	writeCanonical(&b, s.root, map[*Type]bool{}, false)
	return b.String()
}

// ID names the schema with all that it says to us. Canonical form leaves out logical types,
// aliases and defaults, so that schemas with one fingerprint may differ in what the numbers
// in their records mean.
func (s *Schema) ID() uint64 { return s.id }

// writeCanonical writes the canonical form, or with all also what it leaves out and we use.
func writeCanonical(b *strings.Builder, t *Type, written map[*Type]bool, all bool) {
	if t.Kind.named() {
		if written[t] {
			b.WriteString(quoted(t.Name))
			return
		}
		written[t] = true
		b.WriteString(`{"name":` + quoted(t.Name) + `,"type":"` + t.Kind.String() + `"`)
	}
	if all && (t.Logical != "" || len(t.Aliases) > 0 || t.Default != "") {
		fmt.Fprintf(b, "%s,%d,%d,%q,%q", t.Logical, t.Precision, t.Scale, t.Aliases, t.Default)
	}
	switch t.Kind {
	case KindRecord:
		b.WriteString(`,"fields":[`)
		for i, f := range t.Fields {
			comma(b, i)
			b.WriteString(`{"name":` + quoted(f.Name) + `,"type":`)
			writeCanonical(b, f.Type, written, all)
			if all {
				fmt.Fprintf(b, ",%q,%q,%t,%q", f.Aliases, f.Original, f.HasDefault, fmt.Sprint(f.Default))
			}
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
		writeCanonical(b, t.Items, written, all)
		b.WriteByte('}')
	case KindMap:
		b.WriteString(`{"type":"map","values":`)
		writeCanonical(b, t.Items, written, all)
		b.WriteByte('}')
	case KindUnion:
		b.WriteByte('[')
		for i, branch := range t.Branches {
			comma(b, i)
			writeCanonical(b, branch, written, all)
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

// emptyFingerprint is the CRC-64-AVRO of no bytes, and its polynomial.
const emptyFingerprint = 0xc15d213aa4d7a795

var fingerprintTable = crc64.MakeTable(emptyFingerprint)

// fingerprint is the CRC-64-AVRO of text. hash/crc64 turns the bits of a sum over before and
// after; Avro's does not.
func fingerprint(text string) uint64 {
	return ^crc64.Update(^uint64(emptyFingerprint), fingerprintTable, []byte(text))
}
