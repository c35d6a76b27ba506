package jsontext_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tributary/io/format/jsontext"
)

// readText reads all of a text, which has no faults; ok is false for a bad header.
func readText(t *testing.T, r reader) (got read, ok bool) {
	if _, err := r.Columns(); err != nil {
		return read{}, false
	}
	got = readAll(t, r)
	if got.err != nil {
		require.ErrorIs(t, got.err, jsontext.ErrUTF16)
		return read{}, false
	}
	return got, true
}

func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"a,b\n1,2\n\n\"x\"\"y\",\"1\r\n2\"\r\n", "a\n\"\n", "a,b\n1\"2,3\n", "{}\nnope\n{\"a\":[1]}", "a\r\n\r\r\n\"b\"\r", "\xef\xbb\xbfa\n\xff\n", "a,\n",
		"a\n\"1\n2\"3\n4\n", "a\n\"" + strings.Repeat("\n", 40) + "\"\n",
		"\xef\xbb\xbf\xef\xbb\xbfa", "d\x00", "a\n1\n\x00\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		opt := jsontext.Options{MaxRecord: 32}
		for _, format := range []layout{JSON, CSV} {
			got, ok := readText(t, newReader(bytes.NewReader(text), format, opt))
			bytewise, alsoOK := readText(t, newReader(iotest.OneByteReader(bytes.NewReader(text)), format, opt))
			require.Equal(t, ok, alsoOK, "%s", format)
			require.Equal(t, got, bytewise, "%s: it depends on how much is read at once", format)
			if !ok {
				continue
			}
			for i := range int64(len(got.good) + len(got.bad)) {
				_, good := got.good[i]
				isBad := false
				for _, b := range got.bad {
					isBad = isBad || b.Index == i
				}
				require.NotEqual(t, good, isBad, "record %d is neither good nor bad, or both", i)
			}
		}
		if unpadded := bytes.TrimRight(text, "\x00"); len(unpadded) > 0 {
			text = unpadded
		}
		checkLines(t, text)
		checkCSV(t, text)
	})
}

// checkLines compares with splitting the text at its line ends.
func checkLines(t *testing.T, text []byte) {
	got, ok := readText(t, newReader(bytes.NewReader(text), JSON, jsontext.Options{}))
	if !ok {
		return
	}
	index := int64(0)
	for line := range bytes.SplitSeq(bytes.TrimPrefix(text, jsontext.MarkUTF8), []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if json.Valid(line) && line[0] == '{' && utf8.Valid(line) && !jsontext.Deep(line) {
			require.Equal(t, string(line), got.good[index])
		} else if !jsontext.Deep(line) {
			require.NotContains(t, got.good, index)
		}
		index++
	}
	require.Equal(t, index, int64(len(got.good)+len(got.bad)))
}

// checkCSV compares with encoding/csv up to the first mistake: what follows is read
// otherwise (see csv.go).
func checkCSV(t *testing.T, text []byte) {
	r := newReader(bytes.NewReader(text), CSV, jsontext.Options{})
	text = bytes.TrimPrefix(text, jsontext.MarkUTF8)
	columns, err := r.Columns()
	reference := csv.NewReader(bytes.NewReader(text))
	reference.FieldsPerRecord = -1
	header, wantErr := reference.Read()
	if err != nil || len(columns) == 0 || wantErr != nil {
		if wantErr == nil && len(header) == 1 && strings.TrimSpace(header[0]) != "" && utf8.ValidString(header[0]) && !bytes.HasPrefix(text, jsontext.MarkUTF8) {
			require.ErrorIs(t, err, jsontext.ErrUTF16)
		}
		return
	}
	require.Equal(t, header, columns)
	got := readAll(t, r)
	for i := int64(0); ; i++ {
		row, err := reference.Read()
		if err != nil {
			require.Empty(t, got.good[i])
			return
		}
		if len(row) != len(columns) || !utf8.ValidString(strings.Join(row, "")) {
			require.Empty(t, got.good[i])
			continue
		}
		want := map[string]string{}
		for j, name := range columns {
			want[name] = row[j]
		}
		have := map[string]string{}
		require.NotEmpty(t, got.good[i], "row %d is missing", i)
		require.NoError(t, json.Unmarshal([]byte(got.good[i]), &have), got.good[i])
		require.Equal(t, want, have)
	}
}
