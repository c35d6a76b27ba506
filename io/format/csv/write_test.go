package csv

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"tributary/io/format"
)

func encode(w io.Writer, codec, schema string, records ...string) error {
	to, err := files{}.Write(w, format.WriteOptions{Codec: codec, Schema: schema})
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := to.Append([]byte(r)); err != nil {
			return errors.Join(err, to.Close())
		}
	}
	return to.Close()
}

const written = `{"type":"record","name":"r","fields":[
	{"name":"a","type":["null","string"]},
	{"name":"in","type":{"type":"record","name":"i","fields":[{"name":"n","type":"long"},{"name":"list","type":{"type":"array","items":"string"}}]}}
]}`

// TestWrite: null is told from an empty text, and quotes stand where a reader wants them.
func TestWrite(t *testing.T) {
	for want, record := range map[string]string{
		`,-1,[]`:                              "\x00\x01\x00",
		`"",0,"[""x"",""""]"`:                 "\x02\x00\x00\x04\x02x\x00\x00",
		`plain,0,[]`:                          "\x02\x0aplain\x00\x00",
		"\"a,b\",0,[]":                        "\x02\x06a,b\x00\x00",
		"\"a\nb\",0,[]":                       "\x02\x06a\nb\x00\x00",
		"\"a\rb\",0,[]":                       "\x02\x06a\rb\x00\x00",
		`"""",0,[]`:                           "\x02\x02\"\x00\x00",
		`" a",0,[]`:                           "\x02\x04 a\x00\x00",
		`"a ",4611686018427387904,"[""\n""]"`: "\x02\x04a \x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x02\x02\n\x00",
	} {
		var plain, packed bytes.Buffer
		require.NoError(t, encode(&plain, "none", written, record))
		require.Equal(t, "a,in.n,in.list\n"+want+"\n", plain.String())
		require.NoError(t, encode(&packed, "gzip", written, record))
		unzip, err := gzip.NewReader(&packed)
		require.NoError(t, err)
		got, err := io.ReadAll(unzip)
		require.NoError(t, err)
		require.Equal(t, plain.String(), string(got))
	}
	var out bytes.Buffer
	require.NoError(t, encode(&out, "none", `{"type":"record","name":"r","fields":[{"name":"only","type":["null","string"]}]}`, "\x00", "\x02\x00", "\x02\x02x"))
	require.Equal(t, "only\n\"\"\n\"\"\nx\n", out.String(), "no row is an empty line")
}

// TestWriteFails: what is no record is told, and so is a disk that is full.
func TestWriteFails(t *testing.T) {
	for _, codec := range format.StreamCodecs() {
		require.ErrorIs(t, encode(full{}, codec, written, "\x00\x01\x00"), errFull)
		require.ErrorContains(t, encode(io.Discard, codec, written, "\x00\x01"), "in.list")
	}
	require.EqualError(t, encode(io.Discard, "snappy", written), `codec "snappy" is not supported: it must be none or gzip`)
	require.EqualError(t, encode(io.Discard, "none", `"long"`), "a table wants records, not long")
}

var errFull = errors.New("the disk is full")

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
