package parquet

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"tributary/io/format/avro"
)

// columns are those of the records of a schema.
type columns struct {
	name   string
	root   parquet.Node
	record *column
	count  int
	// unordered are the paths of those whose bytes are not in the order of their values.
	unordered [][]string
}

// column is how an Avro type is cut into values: a leaf has one column, others those of what is below.
type column struct {
	kind     avro.Kind
	size     int // of a fixed
	symbols  [][]byte
	bits     int // of a decimal that is a number; 0 if it is none
	wide     int // how many bytes a decimal of more digits takes; 0 if it is none
	below    []*column
	names    []string // of a record's fields
	null     int      // the branch of a union that is null
	first    int      // column
	end      int      // behind the last
	def, rep int      // levels of what is there
}

// columnsOf lays out the columns of a schema. The error tells all that has none, each with the path of its field.
func columnsOf(schema string) (*columns, error) {
	s, err := avro.ParseSchema(schema)
	if err != nil {
		return nil, err
	}
	if s.Type().Kind != avro.KindRecord {
		return nil, fmt.Errorf("rows of Parquet are records, and the schema is of type %s", s.Type().Kind)
	}
	c := &columns{name: s.Type().Name}
	l := layout{columns: c}
	c.record, c.root = l.of(s.Type(), nil, 0, 0)
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return c, nil
}

type layout struct {
	*columns

	within   []*avro.Type // the records around
	problems []error
}

func (l *layout) refuse(path []string, format string, args ...any) parquet.Node {
	at := strings.Join(path, ".")
	if at == "" {
		at = "the record"
	}
	l.problems = append(l.problems, fmt.Errorf("%s: Parquet has no column for %s", at, fmt.Sprintf(format, args...)))
	return parquet.Leaf(parquet.Int32Type)
}

// of lays out a type whose values have those levels where they are there. path is that of the field, names of
// Parquet's own groups included.
func (l *layout) of(t *avro.Type, path []string, def, rep int) (*column, parquet.Node) {
	c := &column{kind: t.Kind, size: t.Size, first: l.count, def: def, rep: rep}
	var n parquet.Node
	switch t.Kind {
	case avro.KindRecord:
		n = l.record(c, t, path)
	case avro.KindUnion:
		n = l.union(c, t, path)
	case avro.KindArray:
		below, item := l.of(t.Items, within(path, "list", "element"), def+1, rep+1)
		c.below, n = []*column{below}, parquet.List(item)
	case avro.KindMap:
		key := &column{kind: avro.KindString, first: l.count, end: l.count + 1, def: def + 1, rep: rep + 1}
		l.count++
		below, value := l.of(t.Items, within(path, "key_value", "value"), def+1, rep+1)
		c.below, n = []*column{key, below}, parquet.Map(parquet.String(), value)
	case avro.KindNull:
		n = l.refuse(path, "null alone")
	default:
		n = l.leaf(c, t, path)
		l.count++
	}
	c.end = l.count
	return c, n
}

func (l *layout) record(c *column, t *avro.Type, path []string) parquet.Node {
	if slices.Contains(l.within, t) {
		return l.refuse(path, "the record %s within itself", t.Name)
	}
	if len(t.Fields) == 0 {
		return l.refuse(path, "the record %s, which has no fields", t.Name)
	}
	l.within = append(l.within, t)
	defer func() { l.within = l.within[:len(l.within)-1] }()
	g := group{}
	for _, f := range t.Fields {
		name := f.Name
		if f.Original != "" {
			name = f.Original
		}
		below, n := l.of(f.Type, within(path, name), c.def, c.rep)
		c.below, c.names = append(c.below, below), append(c.names, name)
		g.fields = append(g.fields, field{n, name})
	}
	return g
}

func (l *layout) union(c *column, t *avro.Type, path []string) parquet.Node {
	c.null = -1
	var kinds []string
	var one *avro.Type
	for i, b := range t.Branches {
		kinds = append(kinds, b.Kind.String())
		if b.Kind == avro.KindNull {
			c.null = i
		} else {
			one = b
		}
	}
	if one == nil || len(kinds) > 2 || len(kinds) == 2 && c.null < 0 {
		return l.refuse(path, "a union of %s: it may be of null and one other type", strings.Join(kinds, ", "))
	}
	if c.null < 0 {
		below, n := l.of(one, path, c.def, c.rep)
		c.below = []*column{below}
		return n
	}
	below, n := l.of(one, path, c.def+1, c.rep)
	c.below = []*column{below}
	return parquet.Optional(n)
}

func (l *layout) leaf(c *column, t *avro.Type, path []string) parquet.Node {
	switch t.Kind {
	case avro.KindBoolean:
		return parquet.Leaf(parquet.BooleanType)
	case avro.KindFloat:
		return parquet.Leaf(parquet.FloatType)
	case avro.KindDouble:
		return parquet.Leaf(parquet.DoubleType)
	case avro.KindString:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case avro.KindEnum:
		for _, s := range t.Symbols {
			c.symbols = append(c.symbols, []byte(s))
		}
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case avro.KindInt, avro.KindLong:
		return number(t)
	default: // bytes and fixed
	}
	plain := parquet.ByteArrayType
	if t.Kind == avro.KindFixed {
		plain = parquet.FixedLenByteArrayType(t.Size)
	}
	switch {
	case t.Kind == avro.KindFixed && t.Size == 0:
		return l.refuse(path, "a fixed of no bytes")
	case t.Logical == "decimal" && t.Precision <= 9:
		c.bits = 32
		return parquet.Decimal(t.Scale, t.Precision, parquet.Int32Type)
	case t.Logical == "decimal" && t.Precision <= 18:
		c.bits = 64
		return parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type)
	case t.Logical == "decimal":
		// Others want as many bytes for each. Their order as bytes is not that of the numbers.
		l.unordered = append(l.unordered, path)
		c.wide = decimalSize(t.Precision)
		return parquet.Decimal(t.Scale, t.Precision, parquet.FixedLenByteArrayType(c.wide))
	case t.Logical == "uuid":
		return parquet.UUID()
	default:
		return parquet.Leaf(plain)
	}
}

// decimalSize is how many bytes hold all numbers of so many digits, with their sign.
func decimalSize(digits int) int {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return most.BitLen()/8 + 1
}

// number is a column of whole numbers, of time if they are that.
func number(t *avro.Type) parquet.Node {
	switch t.Logical {
	case "date":
		return parquet.Date()
	case "time-millis":
		return parquet.Time(parquet.Millisecond)
	case "time-micros":
		return parquet.Time(parquet.Microsecond)
	case "timestamp-millis":
		return parquet.Timestamp(parquet.Millisecond)
	case "timestamp-micros":
		return parquet.Timestamp(parquet.Microsecond)
	case "timestamp-nanos":
		return parquet.Timestamp(parquet.Nanosecond)
	case "local-timestamp-millis":
		return parquet.TimestampAdjusted(parquet.Millisecond, false)
	case "local-timestamp-micros":
		return parquet.TimestampAdjusted(parquet.Microsecond, false)
	case "local-timestamp-nanos":
		return parquet.TimestampAdjusted(parquet.Nanosecond, false)
	}
	if t.Kind == avro.KindInt {
		return parquet.Leaf(parquet.Int32Type)
	}
	return parquet.Leaf(parquet.Int64Type)
}

func within(path []string, names ...string) []string { return append(slices.Clone(path), names...) }

// group is a record with its fields in their order, where a parquet.Group has them sorted.
type group struct {
	parquet.Group

	fields []parquet.Field
}

// Fields are in their order.
func (g group) Fields() []parquet.Field { return g.fields }

// GoType is of no use: rows are never Go values.
func (g group) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }

// field is a field of a group.
type field struct {
	parquet.Node

	name string
}

// Name is that of the column.
func (f field) Name() string { return f.name }

// Value is of no use: rows are never Go values.
func (f field) Value(base reflect.Value) reflect.Value { return base }
