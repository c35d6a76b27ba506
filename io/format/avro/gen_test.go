package avro

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// mustParse parses a schema that a test is sure of.
func mustParse(tb testing.TB, text string) *Schema {
	tb.Helper()
	s, err := ParseSchema(text)
	require.NoError(tb, err, text)
	return s
}

// schemaGen draws schemas: all types, named types used again, recursive ones.
type schemaGen struct {
	t      *rapid.T
	names  int
	spaced bool     // all names have a namespace, or none: else they would depend on the place
	done   []string // named types that may be used again anywhere
	around []string // records being defined: only behind a union or an array
}

// drawSchema draws a schema whose root is a record.
func drawSchema(t *rapid.T) string {
	g := &schemaGen{t: t, spaced: rapid.Bool().Draw(t, "namespaces")}
	text, err := json.Marshal(g.record(3))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (g *schemaGen) pick(label string, n int) int { return rapid.IntRange(0, n-1).Draw(g.t, label) }

func (g *schemaGen) name(kind string) string {
	g.names++
	if g.spaced {
		return fmt.Sprintf("%s.%s%d", []string{"a", "some.space"}[g.pick("namespace", 2)], kind, g.names)
	}
	return fmt.Sprintf("%s%d", kind, g.names)
}

func (g *schemaGen) record(depth int) any {
	name := g.name("Rec")
	g.around = append(g.around, name)
	var fields []any
	for i := range g.pick("fields", 5) {
		fields = append(fields, map[string]any{"name": fmt.Sprintf("f%d", i), "type": g.draw(depth - 1)})
	}
	g.around = g.around[:len(g.around)-1]
	g.done = append(g.done, name)
	if fields == nil {
		fields = []any{}
	}
	return map[string]any{"type": "record", "name": name, "fields": fields}
}

var primitiveNames = []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

func (g *schemaGen) draw(depth int) any {
	kind := g.pick("kind", 18)
	if depth <= 0 {
		kind = g.pick("leaf", 11)
	}
	switch {
	case kind < 8:
		return primitiveNames[kind]
	case kind == 8:
		return map[string]any{"type": "long", "logicalType": "timestamp-millis"}
	case kind == 9:
		return g.fixed()
	case kind == 10:
		return g.enum()
	case kind == 11:
		return map[string]any{"type": "array", "items": g.nested(depth - 1)}
	case kind == 12:
		return map[string]any{"type": "map", "values": g.nested(depth - 1)}
	case kind == 13 && len(g.done) > 0:
		return g.done[g.pick("again", len(g.done))]
	case kind <= 15:
		return g.record(depth)
	case kind == 16:
		return []any{"null", g.notUnion(depth - 1)}
	default:
		return g.union(depth)
	}
}

func (g *schemaGen) fixed() any {
	name := g.name("Fix")
	g.done = append(g.done, name)
	return map[string]any{"type": "fixed", "name": name, "size": 1 + g.pick("size", 5)}
}

func (g *schemaGen) enum() any {
	name := g.name("Enum")
	g.done = append(g.done, name)
	return map[string]any{"type": "enum", "name": name, "symbols": []any{"A", "B", "C"}[:1+g.pick("symbols", 3)]}
}

// nested draws a type at a place where a record may hold itself.
func (g *schemaGen) nested(depth int) any {
	if g.pick("recursive", 4) == 0 {
		return g.around[g.pick("which", len(g.around))]
	}
	return g.draw(depth)
}

// notUnion draws a type for a union that has null already.
func (g *schemaGen) notUnion(depth int) any {
	for {
		known := len(g.done)
		t := g.nested(depth)
		_, union := t.([]any)
		if !union && t != "null" {
			return t
		}
		g.done = g.done[:known] // what was thrown away defines nothing
	}
}

func (g *schemaGen) union(depth int) any {
	var branches []any
	have := map[string]bool{}
	if g.pick("null", 3) == 0 {
		branches, have["null"] = append(branches, "null"), true
	}
	for i := range 1 + g.pick("branches", 4) {
		known := len(g.done)
		b := g.draw(depth - 1)
		if i > 0 && len(branches) > 0 {
			g.done = g.done[:known] // what was thrown away defines nothing
			b = g.nested(depth - 1)
		}
		name := ""
		switch b := b.(type) {
		case []any:
			g.done = g.done[:known]
			continue
		case string:
			name = b
		case map[string]any:
			name, _ = b["name"].(string)
			if name == "" {
				name, _ = b["type"].(string)
			}
		}
		if !have[name] {
			have[name] = true
			branches = append(branches, b)
		} else {
			g.done = g.done[:known]
		}
	}
	if len(branches) == 0 {
		return []any{"string"}
	}
	return branches
}

// drawDatum appends a drawn value of type typ, in blocks of every legal form.
func drawDatum(t *rapid.T, dst []byte, typ *Type, depth int) []byte {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "value") }
	switch typ.Kind {
	case KindNull:
		return dst
	case KindBoolean:
		return append(dst, byte(pick(2)))
	case KindInt:
		return binary.AppendVarint(dst, int64(rapid.Int32().Draw(t, "int")))
	case KindLong:
		if typ.Logical != "" { // goavro's time.Time holds no more
			return binary.AppendVarint(dst, rapid.Int64Range(0, 1<<42).Draw(t, "time"))
		}
		return binary.AppendVarint(dst, rapid.Int64().Draw(t, "long"))
	case KindFloat:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(rapid.Float32().Draw(t, "float")))
	case KindDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(rapid.Float64().Draw(t, "double")))
	case KindBytes:
		raw := rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(t, "bytes")
		return append(binary.AppendVarint(dst, int64(len(raw))), raw...)
	case KindString:
		text := rapid.StringN(0, 70, 140).Draw(t, "string")
		return append(binary.AppendVarint(dst, int64(len(text))), text...)
	case KindFixed:
		return append(dst, rapid.SliceOfN(rapid.Byte(), typ.Size, typ.Size).Draw(t, "fixed")...)
	case KindEnum:
		return binary.AppendVarint(dst, int64(pick(len(typ.Symbols))))
	case KindRecord:
		for _, f := range typ.Fields {
			dst = drawDatum(t, dst, f.Type, depth+1)
		}
		return dst
	case KindUnion:
		i := pick(len(typ.Branches))
		if depth > 8 {
			i = 0 // the first branch does not lead back here
		}
		return drawDatum(t, binary.AppendVarint(dst, int64(i)), typ.Branches[i], depth+1)
	default:
		blocks := pick(3)
		if depth > 8 {
			blocks = 0
		}
		for b := range blocks {
			n := 1 + pick(3)
			var items []byte
			for i := range n {
				if typ.Kind == KindMap {
					key := fmt.Sprintf("k%d%d", b, i)
					items = append(binary.AppendVarint(items, int64(len(key))), key...)
				}
				items = drawDatum(t, items, typ.Items, depth+1)
			}
			if pick(2) == 0 {
				dst = binary.AppendVarint(dst, int64(n))
			} else {
				dst = binary.AppendVarint(dst, int64(-n))
				dst = binary.AppendVarint(dst, int64(len(items)))
			}
			dst = append(dst, items...)
		}
		return append(dst, 0)
	}
}
