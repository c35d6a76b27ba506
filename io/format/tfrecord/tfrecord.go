// Package tfrecord writes TFRecord files of tf.train.Example messages, as TensorFlow, PyTorch and JAX loaders read them.
//
// A record is a feature for each column of avro.Columns, by the column's name:
//
//	boolean, int, long        an int64 (a boolean is 0 or 1, a time the number that Avro stores); exact
//	float, double, decimal    a float, of 32 bits: the nearest one, with some 7 digits, and an infinity beyond its range;
//	                          a decimal of more than 1 KiB is not-a-number
//	string, enum, uuid        bytes, UTF-8 text
//	bytes, fixed              bytes as they are
//	array of those            the values, in order
//	union of several types    int64 if all are such, float if all are numbers, else bytes: the text of avro.Cell
//	whatever else is nested   bytes: JSON
//
// Null is no feature, and an empty array is a feature without a value. Features are in the order of their names:
// the same records are the same bytes.
//
// A record in a file is its length (8 bytes, the lowest first), the masked CRC32C of these, the message and the masked CRC32C
// of it (4 bytes each).
package tfrecord

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"tributary/io/format"
	"tributary/io/format/avro"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is tfrecord.
func (files) Name() string { return "tfrecord" }

// Codecs begins with none. gzip is what TensorFlow calls compression_type GZIP.
func (files) Codecs() []string { return format.StreamCodecs() }

// Ending tells the codec.
func (files) Ending(codec string) string { return format.StreamEnding(".tfrecord", codec) }

// Write begins a file.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	schema, err := avro.ParseSchema(opt.Schema)
	if err != nil {
		return nil, err
	}
	r := &writer{}
	if r.columns, err = avro.NewColumns(schema); err != nil {
		return nil, err
	}
	for i, c := range r.columns.All() {
		r.features = append(r.features, feature{column: i, name: c.Name, list: listOf(c.Types), items: itemsOf(c.Types)})
	}
	slices.SortFunc(r.features, func(a, b feature) int { return strings.Compare(a.name, b.name) })
	if r.Stream, err = format.NewStream(w, opt.Codec); err != nil {
		return nil, err
	}
	return r, nil
}

// Numbers of the fields of tf.train.Example and of what it consists of.
const (
	exampleFeatures protowire.Number = 1
	featuresFeature protowire.Number = 1
	entryKey        protowire.Number = 1
	entryValue      protowire.Number = 2
	listValue       protowire.Number = 1
)

// list is the kind of a feature: the number of its field in tf.train.Feature.
type list protowire.Number

const (
	bytesList list = 1
	floatList list = 2
	int64List list = 3
)

// itemsOf tells whether the values of a column are arrays whose items are values of a feature.
func itemsOf(types []*avro.Type) bool { return len(types) == 1 && types[0].ScalarItems() }

// listOf is the kind of list that takes values of all these types.
func listOf(types []*avro.Type) list {
	of := int64List
	for _, t := range types {
		if itemsOf(types) {
			t = t.Items
		}
		switch listOfType(t) {
		case bytesList:
			return bytesList
		case floatList:
			of = floatList
		case int64List:
		}
	}
	return of
}

// listOfType is that of one type.
func listOfType(t *avro.Type) list {
	switch t.Kind {
	case avro.KindBoolean, avro.KindInt, avro.KindLong:
		return int64List
	case avro.KindFloat, avro.KindDouble:
		return floatList
	case avro.KindBytes, avro.KindFixed:
		if t.Logical == "decimal" {
			return floatList
		}
	default: // text, and JSON
	}
	return bytesList
}

// feature is a column on its way to a file.
type feature struct {
	column int
	name   string
	list   list
	items  bool // an array, of which every item is a value
}

// writer writes a record a message.
type writer struct {
	*format.Stream

	columns  *avro.Columns
	features []feature // in order of their names

	cells, items            []avro.Cell
	text, list, entry, maps []byte
	record                  []byte
}

func (w *writer) Append(encoded []byte) (err error) {
	if w.cells, _, err = w.columns.Split(w.cells, encoded); err != nil {
		return err
	}
	w.maps = w.maps[:0]
	for i := range w.features {
		f := &w.features[i]
		cell := &w.cells[f.column]
		if cell.Type == nil {
			continue
		}
		w.value(f, cell)
		size := protowire.SizeTag(protowire.Number(f.list)) + protowire.SizeBytes(len(w.list))
		w.entry = protowire.AppendString(protowire.AppendTag(w.entry[:0], entryKey, protowire.BytesType), f.name)
		w.entry = protowire.AppendVarint(protowire.AppendTag(w.entry, entryValue, protowire.BytesType), uint64(size))
		w.entry = protowire.AppendBytes(protowire.AppendTag(w.entry, protowire.Number(f.list), protowire.BytesType), w.list)
		w.maps = protowire.AppendBytes(protowire.AppendTag(w.maps, featuresFeature, protowire.BytesType), w.entry)
	}
	w.record = protowire.AppendBytes(protowire.AppendTag(w.record[:0], exampleFeatures, protowire.BytesType), w.maps)
	head := binary.LittleEndian.AppendUint64(w.entry[:0], uint64(len(w.record)))
	head = binary.LittleEndian.AppendUint32(head, masked(head))
	w.entry = head
	if _, err = w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(binary.LittleEndian.AppendUint32(w.record, masked(w.record)))
	return err
}

// value puts the list of a cell's values into w.list.
func (w *writer) value(f *feature, cell *avro.Cell) {
	values := append(w.items[:0], *cell)
	if f.items {
		values, _ = cell.Items(values)
	}
	w.items = values
	w.list = w.list[:0]
	if len(values) == 0 {
		return
	}
	w.text = w.text[:0]
	for i := range values {
		v := &values[i]
		switch f.list {
		case bytesList:
			w.list = protowire.AppendBytes(protowire.AppendTag(w.list, listValue, protowire.BytesType), w.bytes(v))
		case floatList:
			w.text = binary.LittleEndian.AppendUint32(w.text, math.Float32bits(float32Of(v)))
		case int64List:
			w.text = protowire.AppendVarint(w.text, uint64(v.Int))
		}
	}
	if f.list != bytesList { // numbers are packed
		w.list = protowire.AppendBytes(protowire.AppendTag(w.list, listValue, protowire.BytesType), w.text)
	}
}

// bytes is a value as bytes, valid until the next one.
func (w *writer) bytes(v *avro.Cell) []byte {
	if (v.Type.Kind == avro.KindBytes || v.Type.Kind == avro.KindFixed) && v.Type.Logical != "uuid" && v.Type.Logical != "decimal" {
		return v.Text
	}
	w.text = v.AppendText(w.text[:0])
	return w.text
}

// float32Of is the nearest float of a number.
func float32Of(v *avro.Cell) float32 {
	switch v.Type.Kind {
	case avro.KindFloat, avro.KindDouble:
		return float32(v.Float)
	case avro.KindBytes, avro.KindFixed:
		if !v.Decimal() {
			return float32(math.NaN())
		}
		near, _ := strconv.ParseFloat(string(v.AppendText(nil)), 32) // out of range it is an infinity
		return float32(near)
	default:
		return float32(v.Int)
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the CRC32C of data, masked: one of data that holds CRCs is no good.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
