package csv

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
)

// recordsOf reads a whole file.
func recordsOf(t *testing.T, text string, d format.Delimiter) (records string, bad []string, err error) {
	t.Helper()
	f := &format.File{Path: "t.csv", Delimiter: d, Open: func(offset int64) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text[offset:])), nil
	}}
	head, err := files{}.Head(f)
	if err != nil {
		return "", nil, err
	}
	chunks, err := files{}.Chunks(f, head, format.Place{})
	require.NoError(t, err)
	for {
		chunk, err := chunks.Next()
		if errors.Is(err, io.EOF) {
			return records, bad, chunks.Close()
		}
		require.NoError(t, err)
		all, err := chunk.Records(nil)
		require.NoError(t, err)
		records += string(all)
		for _, b := range chunk.Bad {
			bad = append(bad, b.Err.Error())
		}
	}
}

func TestDelimiters(t *testing.T) {
	for _, d := range format.Delimiters() {
		lines := []string{"a<>b<>c", `1<>"x<>y"<>`, `<>,;|<>"quoted"`, "short<>row"}
		text := strings.Join(lines, "\n")
		text = strings.ReplaceAll(strings.ReplaceAll(text, ",;|", strings.ReplaceAll(",;|", string(d.Byte()), "")), "<>", string(d.Byte()))
		records, bad, err := recordsOf(t, text, d)
		require.NoError(t, err)
		require.Contains(t, records, `{"a":"1","b":"x`+strings.ReplaceAll(string(d.Byte()), "\t", `\t`)+`y","c":""}`)
		require.Contains(t, records, `"b":"`+strings.ReplaceAll(",;|", string(d.Byte()), "")+`","c":"quoted"}`)
		require.Equal(t, []string{"line 4: 2 fields, but the header has 3"}, bad)

		for _, other := range format.Delimiters() {
			if other == d {
				continue
			}
			_, _, err := recordsOf(t, text, other)
			var wrong *format.OtherError
			require.ErrorAs(t, err, &wrong)
			require.ErrorContains(t, err, "cells are separated by "+string(other)+" here, and by "+string(d)+" it seems")
		}
	}
	_, _, err := recordsOf(t, "\"a;b\"\n1\n", "")
	require.NoError(t, err, "in quotes it is a name")
	records, _, err := recordsOf(t, "a|b,c\n1|2,3\n", "")
	require.NoError(t, err)
	require.Contains(t, records, `{"a|b":"1|2","c":"3"}`)
}
