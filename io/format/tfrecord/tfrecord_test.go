package tfrecord

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"tributary/io/format"
)

// schema has a field of each kind that becomes a feature of its own sort.
const schema = `{"type":"record","name":"r","fields":[
	{"name":"n","type":"long"},
	{"name":"text","type":"string"},
	{"name":"a","type":["null",{"type":"record","name":"b","fields":[{"name":"yes","type":"boolean"},{"name":"d","type":"double"}]}]},
	{"name":"longs","type":{"type":"array","items":"long"}},
	{"name":"maybe","type":{"type":"array","items":["null","long"]}},
	{"name":"numbers","type":["long","double"]},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"raw","type":{"type":"fixed","name":"f","size":2}}
]}`

// whole is a record with all of it, absent one without what may be missing.
var (
	whole = []byte("\x01\x04hi\x02\x01\x00\x00\x00\x00\x00\x00\xf8\x3f" + // -1, "hi", true and 1.5
		"\x04\x02\x03\x00\x04\x00\x02\x0a\x00" + // 1 and -2; null and 5
		"\x00\x0e\x04\x04\xd2\xff\x00") // the long 7, 12.34, two bytes
	absent = []byte("\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\xe0\x3f\x02\xfb\x00\x00")
)

func write(t *testing.T, w io.Writer, codec string, records ...[]byte) error {
	t.Helper()
	out, err := format.Get[format.Writer]("tfrecord")
	require.NoError(t, err)
	to, err := out.Write(w, format.WriteOptions{Codec: codec, Schema: schema})
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := to.Append(r); err != nil {
			return errors.Join(err, to.Close())
		}
	}
	return to.Close()
}

// messages reads the frames of a file.
func messages(t *testing.T, file []byte) (all [][]byte) {
	t.Helper()
	sum := func(data []byte) uint32 {
		crc := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
		return (crc>>15 | crc<<17) + 0xa282ead8
	}
	for len(file) > 0 {
		n := binary.LittleEndian.Uint64(file)
		require.Equal(t, sum(file[:8]), binary.LittleEndian.Uint32(file[8:]))
		require.Equal(t, sum(file[12:12+n]), binary.LittleEndian.Uint32(file[12+n:]))
		all, file = append(all, file[12:12+n]), file[16+n:]
	}
	return all
}

// inside is the content of the only field of a message, or of the next one.
func inside(t *testing.T, message []byte) (number protowire.Number, content, rest []byte) {
	t.Helper()
	number, kind, n := protowire.ConsumeTag(message)
	require.Positive(t, n)
	require.Equal(t, protowire.BytesType, kind)
	content, size := protowire.ConsumeBytes(message[n:])
	require.GreaterOrEqual(t, size, 0)
	return number, content, message[n+size:]
}

// namesIn are the names of the features of a message in their order, and their lists, with their numbers in front.
func namesIn(t *testing.T, message []byte) (names []string, lists map[string]string) {
	t.Helper()
	_, features, rest := inside(t, message)
	require.Empty(t, rest)
	lists = map[string]string{}
	for len(features) > 0 {
		var entry []byte
		_, entry, features = inside(t, features)
		_, name, value := inside(t, entry)
		_, feature, rest := inside(t, value)
		require.Empty(t, rest)
		kind, list, _ := inside(t, feature)
		names = append(names, string(name))
		lists[string(name)] = string(rune('0'+kind)) + string(list)
	}
	return names, lists
}

func TestFeatures(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, write(t, &file, "none", whole, absent))
	all := messages(t, file.Bytes())
	require.Len(t, all, 2)
	float := func(f float32) string {
		return string(binary.LittleEndian.AppendUint32([]byte("2\x0a\x04"), math.Float32bits(f)))
	}
	names, lists := namesIn(t, all[0])
	require.Equal(t, []string{"a.d", "a.yes", "longs", "maybe", "n", "numbers", "price", "raw", "text"}, names)
	minus := strings.Repeat("\xff", 9) + "\x01" // -1 as a varint
	require.Equal(t, map[string]string{
		"a.d": float(1.5), "a.yes": "3\x0a\x01\x01", "longs": "3\x0a\x0b\x01\xfe" + minus[1:], "maybe": "1\x0a\x08[null,5]", "n": "3\x0a\x0a" + minus,
		"numbers": float(7), "price": float(12.34), "raw": "1\x0a\x02\xff\x00", "text": "1\x0a\x02hi",
	}, lists)
	names, lists = namesIn(t, all[1])
	require.Equal(t, []string{"longs", "maybe", "n", "numbers", "price", "raw", "text"}, names)
	require.Equal(t, map[string]string{
		"longs": "3", "maybe": "1\x0a\x02[]", "n": "3\x0a\x01\x00", "numbers": float(0.5), "price": float(-0.05), "raw": "1\x0a\x02\x00\x00", "text": "1\x0a\x00",
	}, lists)
}

// TestCodecs: gzip is of the same file, the same records are the same bytes, and a disk that is full is told.
func TestCodecs(t *testing.T) {
	var plain, packed, again bytes.Buffer
	require.NoError(t, write(t, &plain, "none", whole, absent))
	require.NoError(t, write(t, &packed, "gzip", whole, absent))
	require.NoError(t, write(t, &again, "gzip", whole, absent))
	require.True(t, bytes.Equal(packed.Bytes(), again.Bytes()))
	unzip, err := gzip.NewReader(&packed)
	require.NoError(t, err)
	got, err := io.ReadAll(unzip)
	require.NoError(t, err)
	require.Equal(t, plain.Bytes(), got)

	for _, codec := range []string{"none", "gzip"} {
		require.ErrorIs(t, write(t, full{}, codec, whole), errFull)
		require.Error(t, write(t, io.Discard, codec, whole[:3]), "a record that is cut off")
	}
	require.EqualError(t, write(t, io.Discard, "snappy"), `codec "snappy" is not supported: it must be none or gzip`)
}

var errFull = errors.New("the disk is full")

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
