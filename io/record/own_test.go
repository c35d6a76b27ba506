package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOwnPaths(t *testing.T) {
	for path, header := range map[string]string{"$key": "", "$file": "", "$timestamp": "", "$partition": "", "$offset": "", "$type": "", "$headers.trace": "trace", `$headers."a.b"`: "a.b"} {
		require.True(t, IsOwn(path), path)
		name, err := OwnHeader(path)
		require.NoError(t, err, path)
		require.Equal(t, header, name)
	}
	for _, path := range []string{"$headers", "$headers.a.b", `$headers.""`, "$key.id", "$offset.x", "$headers."} {
		require.True(t, IsOwn(path), path)
		_, err := OwnHeader(path)
		require.Error(t, err, path)
	}
	for _, path := range []string{"", "key", "$index", "$keys", "a.$key", `"$key"`, "$", "$header.x"} {
		require.False(t, IsOwn(path), path)
	}
}

// TestOwnRoundTrip: what a source knows beside a record comes out as it went in, and the record with it.
func TestOwnRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Just(Value{}),
			rapid.Map(rapid.Int64(), func(n int64) Value { return Value{Kind: Int, Int: n} }),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) Value { return Value{Kind: String, Text: b} }),
		)
		values := rapid.MapOf(rapid.SampledFrom([]string{"$key", "$timestamp", "$offset", "$headers.a", "$headers.b"}), value).Draw(t, "values")
		var own []byte
		for path, v := range values {
			own = AppendOwn(own, path, v)
		}
		rec := rapid.SliceOf(rapid.Byte()).Draw(t, "record")
		encoded := EncodeBatch(Batch{Framed: true, Own: true, File: "a/b.avro", Count: 1, Records: AppendFramed(nil, 0, AppendOwned(nil, own, rec))})
		b, err := DecodeBatch(encoded)
		require.NoError(t, err)
		require.True(t, b.Own)
		require.Equal(t, "a/b.avro", b.File)
		require.Equal(t, "a/b.avro", string(OwnValue(b.Beside(), OwnFile).Text))
		_, owned, _, err := NextFramed(b.Records)
		require.NoError(t, err)
		got, behind, err := SplitOwned(owned)
		require.NoError(t, err)
		require.Equal(t, string(rec), string(behind))
		for path, v := range values {
			found := OwnValue(got, path)
			require.Equal(t, v.Kind, found.Kind)
			require.Equal(t, v.Int, found.Int)
			require.Equal(t, string(v.Text), string(found.Text))
		}
		require.Equal(t, Value{}, OwnValue(got, "$headers.c"))
	})
	_, _, err := SplitOwned([]byte{9, 1})
	require.Error(t, err)
	require.Equal(t, Value{}, OwnValue([]byte{4, '$', 'k'}, "$k"))
}
