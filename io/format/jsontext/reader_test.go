package jsontext_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/csv"
	"tributary/io/format/jsonl"
	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// layout is that of one of the packages that read text.
type layout string

const (
	JSON layout = "json"
	CSV  layout = "csv"
)

// reader is one of either.
type reader struct {
	*jsontext.Reader
	Columns func() ([]string, error)
}

func newReader(r io.Reader, as layout, opt jsontext.Options, columns ...string) reader {
	if as == CSV {
		table := csv.NewReader(r, opt, columns)
		return reader{table.Reader, table.Columns}
	}
	lines := jsonl.NewReader(r, opt)
	return reader{lines, func() ([]string, error) {
		if err := lines.Start(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, nil
	}}
}

// read is what a Reader made of a text, laid out flat.
type read struct {
	good   map[int64]string // by index
	bad    []jsontext.Bad
	blocks []jsontext.Block
	err    error // nil at the end of the text
}

func readAll(t *testing.T, r reader) read {
	t.Helper()
	out := read{good: map[int64]string{}}
	for {
		b, err := r.Next()
		if err != nil {
			_, again := r.Next()
			require.Equal(t, err, again, "the end is final")
			if !errors.Is(err, io.EOF) {
				out.err = err
			}
			return out
		}
		require.Positive(t, int(b.Count)+len(b.Bad), "an empty block")
		count := int32(0)
		for rest := b.Records; len(rest) > 0; count++ {
			distance, record, after, err := record.NextFramed(rest)
			require.NoError(t, err)
			require.Empty(t, out.good[b.Index+distance], "an index is there twice")
			out.good[b.Index+distance] = string(record)
			rest = after
		}
		require.Equal(t, b.Count, count)
		out.blocks = append(out.blocks, b)
		out.bad = append(out.bad, b.Bad...)
	}
}

// badText writes bad records as index/line/raw/error, with a + where more may be lost.
func badText(bad []jsontext.Bad) []string {
	var out []string
	for _, b := range bad {
		more := ""
		if b.AtLeast {
			more = "+"
		}
		out = append(out, fmt.Sprintf("%d%s/%d/%s/%s", b.Index, more, b.Line, b.Raw, b.Err))
	}
	return out
}

func TestReadJSON(t *testing.T) {
	const notObject = "not a JSON object, {...} on one line"
	for _, c := range []struct {
		name, text string
		good       map[int64]string
		bad        []string
	}{
		{name: "nothing", text: ""},
		{name: "only blank lines", text: "\n \n\r\n\t"},
		{name: "two lines", text: "{\"a\":1}\n{\"a\":2}\n", good: map[int64]string{0: `{"a":1}`, 1: `{"a":2}`}},
		{name: "no line end at the end", text: `{"a":1}`, good: map[int64]string{0: `{"a":1}`}},
		{name: "CRLF, blank lines and space around", text: "\r\n {} \r\n\r\n\t{\"a\" : [ ]}\r\n", good: map[int64]string{0: `{}`, 1: `{"a" : [ ]}`}},
		{name: "byte order mark", text: "\xef\xbb\xbf{}\n", good: map[int64]string{0: `{}`}},
		{
			name: "bad lines count", text: "{}\n\nnope\n{}\n[1]\n", good: map[int64]string{0: "{}", 2: "{}"},
			bad: []string{"1/3/nope/" + notObject, "3/5/[1]/" + notObject},
		},
		{
			name: "cut off", text: "{\"a\":1}\n{\"a\":", good: map[int64]string{0: `{"a":1}`},
			bad: []string{`1+/2/{"a":/invalid JSON at byte 6: want a value, got the end`},
		},
		{name: "zeros at the end", text: "{\"a\":1}\n" + strings.Repeat("\x00", 700_000), good: map[int64]string{0: `{"a":1}`}},
		{name: "zeros behind a line without an end", text: "{\"a\":1}\x00", good: map[int64]string{0: `{"a":1}`}},
		{
			name: "zeros between", text: "{}\n\x00\x00\n{}\n\x00", good: map[int64]string{0: "{}", 2: "{}"},
			bad: []string{"1/2/\x00\x00/" + notObject},
		},
		{name: "nothing but zeros", text: "\x00\x00", bad: []string{"0+/1/\x00\x00/" + notObject}},
		{name: "two on a line", text: "{}{}\n", bad: []string{`0/1/{}{}/invalid JSON at byte 3: want the end of the line, got "{"`}},
		{name: "missing comma", text: `{"a":1 "b":2}`, bad: []string{`0+/1/{"a":1 "b":2}/invalid JSON at byte 8: want "," or "}", got "\""`}},
		{name: "not UTF-8", text: "{\"a\":\"\xff\"}", bad: []string{"0+/1/{\"a\":\"\xff\"}/text is not UTF-8: byte 7 is 0xff"}},
		{
			name: "too long", text: "{\"a\":\"0123456789012345678901234567890\"}\n{}\n", good: map[int64]string{1: "{}"},
			bad: []string{"0/1/{\"a\":\"012345678901234567890123/record is longer than 30 bytes"},
		},
		{name: "as long as allowed", text: `{"a":"0123456789012345678901"}`, good: map[int64]string{0: `{"a":"0123456789012345678901"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for reading, r := range map[string]io.Reader{"whole": strings.NewReader(c.text), "by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
				got := readAll(t, newReader(r, JSON, jsontext.Options{MaxRecord: 30}))
				require.NoError(t, got.err, reading)
				if c.good == nil {
					c.good = map[int64]string{}
				}
				assert.Equal(t, c.good, got.good, reading)
				assert.Equal(t, c.bad, badText(got.bad), reading)
			}
		})
	}
}

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		columns    []string
		good       map[int64]string
		bad        []string
	}{
		{name: "empty file"},
		{name: "header only", text: "a,b\n", columns: []string{"a", "b"}},
		{name: "rows", text: "a,b\n1,2\n3,\n", columns: []string{"a", "b"}, good: map[int64]string{0: `{"a":"1","b":"2"}`, 1: `{"a":"3","b":""}`}},
		{
			name: "byte order mark and CRLF", text: "\xef\xbb\xbfa,b\r\n\r\n1,2\r\n3,4", columns: []string{"a", "b"},
			good: map[int64]string{0: `{"a":"1","b":"2"}`, 1: `{"a":"3","b":"4"}`},
		},
		{name: "quotes", text: "a,\"b,c\"\n\"x\"\"y\",\"1\r\n2\"\n", columns: []string{"a", "b,c"}, good: map[int64]string{0: `{"a":"x\"y","b,c":"1\n2"}`}},
		{name: "escapes", text: "a\n\\\t\x01é\n", columns: []string{"a"}, good: map[int64]string{0: `{"a":"\\\t\u0001é"}`}},
		{
			name: "number of fields", text: "a,b\n1\n1,2\n1,2,3\n", columns: []string{"a", "b"}, good: map[int64]string{1: `{"a":"1","b":"2"}`},
			bad: []string{"0/2/1/1 fields, but the header has 2", "2/4/1,2,3/3 fields, but the header has 2"},
		},
		{
			name: "bare quote", text: "a,b\n1,2\"\n3,4\n", columns: []string{"a", "b"}, good: map[int64]string{1: `{"a":"3","b":"4"}`},
			bad: []string{`0/2/1,2"/quote (") in a field that does not begin with one`},
		},
		{
			name: "text after a quote", text: "a,b\n1,\"2\"3\n3,4\n", columns: []string{"a", "b"}, good: map[int64]string{1: `{"a":"3","b":"4"}`},
			bad: []string{`0/2/1,"2"3/text after the closing quote of a field; a quote inside is written twice ("")`},
		},
		{
			name: "quote never closed, up to the end", text: "a,b\n1,\"2\n3,4\n5,6\n", columns: []string{"a", "b"},
			good: map[int64]string{1: `{"a":"3","b":"4"}`, 2: `{"a":"5","b":"6"}`}, bad: []string{`0+/2/1,"2/field begins with a quote (") that is not closed in as much as a record may have`},
		},
		{
			name: "quote never closed, far from the end", text: "a,b\n1,\"2\n" + strings.Repeat("3,4\n", 20), columns: []string{"a", "b"},
			good: func() map[int64]string {
				good := map[int64]string{}
				for i := range 20 {
					good[int64(i+1)] = `{"a":"3","b":"4"}`
				}
				return good
			}(), bad: []string{`0+/2/1,"2/field begins with a quote (") that is not closed in as much as a record may have`},
		},
		{name: "not UTF-8", text: "a\n\xe9\n", columns: []string{"a"}, bad: []string{"0/2/\xe9/text is not UTF-8: byte 1 is 0xe9"}},
		{
			name: "line too long", text: "a\n" + strings.Repeat("x", 31) + "\ny\n", columns: []string{"a"}, good: map[int64]string{1: `{"a":"y"}`},
			bad: []string{"0/2/" + strings.Repeat("x", 30) + "/record is longer than 30 bytes"},
		},
		{
			name: "row of several lines too long", text: "a\n\"" + strings.Repeat("\n", 27) + "xx\"\ny\n", columns: []string{"a"}, good: map[int64]string{2: `{"a":"y"}`},
			bad: []string{`0+/2/"/field begins with a quote (") that is not closed in as much as a record may have`, `1/29/xx"/quote (") in a field that does not begin with one`},
		},
		{
			name: "mistake beyond the limit", text: "a\n\"\n" + strings.Repeat("\n", 40) + "x\"z\n", columns: []string{"a"},
			bad: []string{`0+/2/"/field begins with a quote (") that is not closed in as much as a record may have`, `1/43/x"z/quote (") in a field that does not begin with one`},
		},
		{
			name: "row of several lines as long as allowed", text: "a\n\"" + strings.Repeat("\n", 26) + "xx\"\r\ny\n", columns: []string{"a"},
			good: map[int64]string{0: `{"a":"` + strings.Repeat(`\n`, 26) + `xx"}`, 1: `{"a":"y"}`},
		},
		{
			name: "lines of quoted rows count", text: "a\n\"1\n2\"\n\nx,y\n", columns: []string{"a"}, good: map[int64]string{0: `{"a":"1\n2"}`},
			bad: []string{"1/5/x,y/2 fields, but the header has 1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for reading, text := range map[string]io.Reader{"whole": strings.NewReader(c.text), "by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
				r := newReader(text, CSV, jsontext.Options{MaxRecord: 30})
				columns, err := r.Columns()
				require.NoError(t, err)
				got := readAll(t, r)
				require.NoError(t, got.err, reading)
				if c.good == nil {
					c.good = map[int64]string{}
				}
				assert.Equal(t, c.columns, columns, reading)
				assert.Equal(t, c.good, got.good, reading)
				assert.Equal(t, c.bad, badText(got.bad), reading)
			}
		})
	}
}

func TestBadHeaders(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a,b,a\n", `header: columns 1 and 3 are both named "a"`},
		{"a,,b,\n", `header: columns 2 and 4 are both named ""`},
		{"\na,\"b\n", `header in line 2: field begins with a quote (") that is not closed in as much as a record may have`},
		{"\xe9,b\n", "header in line 1: text is not UTF-8: byte 1 is 0xe9"},
		{"\xff\xfea\x00", "text is UTF-16, not UTF-8"},
	} {
		r := newReader(strings.NewReader(c.text), CSV, jsontext.Options{})
		_, err := r.Columns()
		require.EqualError(t, err, c.want)
		_, err = r.Next()
		require.EqualError(t, err, c.want)
	}
	_, err := newReader(strings.NewReader("\xfe\xff\x00{"), JSON, jsontext.Options{}).Next()
	require.ErrorIs(t, err, jsontext.ErrUTF16)
	_, err = newReader(strings.NewReader("1,2\n"), CSV, jsontext.Options{Start: format.Place{Offset: 4}}).Next()
	require.EqualError(t, err, "read CSV from its middle: its columns were not given")
}

// A fault of the source must not turn half a record into a whole one.
func TestReadFault(t *testing.T) {
	fault := errors.New("the disk is on fire")
	for _, format := range []layout{JSON, CSV} {
		for _, text := range []string{"{\"a\":1}\n{}", "{\"a\":1}\n{\"a\"", "{\"a\":1}\n\"", "{\"a\":1}\n\n"} {
			if format == CSV {
				text = "\"{\"\"a\"\":1}\"\n" + strings.Replace(text, `{"a":1}`, "x", 1)
			}
			got := readAll(t, newReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(fault)), format, jsontext.Options{}))
			require.ErrorIs(t, got.err, fault)
			require.Len(t, got.good, 1, text)
			require.Empty(t, got.bad, text)
		}
	}
	_, err := newReader(stuck{}, JSON, jsontext.Options{}).Next()
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// Blocks are of the promised size, and reading may begin at any of them.
func TestBlocksAndPositions(t *testing.T) {
	for _, format := range []layout{JSON, CSV} {
		var text bytes.Buffer
		if format == CSV {
			text.WriteString("n,text\n")
		}
		for i := range 30_000 {
			switch {
			case i%1000 == 7:
				text.WriteString("bad\n")
			case format == JSON:
				fmt.Fprintf(&text, "{\"n\":%d,\"text\":%q}\n\n", i, strings.Repeat("x", i%50))
			default:
				fmt.Fprintf(&text, "%d,\"%s\"\n", i, strings.Repeat("\n", i%50))
			}
		}
		first := newReader(bytes.NewReader(text.Bytes()), format, jsontext.Options{})
		all := readAll(t, first)
		require.NoError(t, all.err)
		require.Len(t, all.good, 30_000-30)
		require.Len(t, all.bad, 30)
		require.Greater(t, len(all.blocks), 10)
		columns, err := first.Columns()
		require.NoError(t, err)
		for i, b := range all.blocks[:len(all.blocks)-1] {
			next := all.blocks[i+1]
			require.Equal(t, next.Index, b.Index+int64(b.Count)+int64(len(b.Bad)))
			require.Greater(t, max(next.Offset-b.Offset, int64(len(b.Records))), int64(jsontext.BlockText-200))
			require.Less(t, len(b.Records), jsontext.BlockText+1000)
			if i%5 != 0 {
				continue
			}
			got := readAll(t, newReader(bytes.NewReader(text.Bytes()[b.Offset:]), format, jsontext.Options{Start: b.Place}, columns...))
			require.Equal(t, all.blocks[i:], got.blocks)
		}
	}
}

// A line of any length takes bounded memory.
func TestEndlessLine(t *testing.T) {
	for _, begin := range []string{`{"a":"`, "a\n\"", "a\n"} {
		format := JSON
		if begin[0] == 'a' {
			format = CSV
		}
		text := io.MultiReader(strings.NewReader(begin), io.LimitReader(letters{}, 64<<20), strings.NewReader("\n{\"a\":1}"))
		r := newReader(text, format, jsontext.Options{MaxRecord: 1 << 20})
		got := readAll(t, r)
		require.NoError(t, got.err)
		require.Len(t, got.bad, len(got.bad))
		require.EqualError(t, got.bad[0].Err, "record is longer than 1048576 bytes")
		require.Len(t, got.bad[0].Raw, jsontext.RawKept)
		require.Equal(t, int64(1), got.blocks[0].Index+int64(len(got.blocks[0].Bad)))
		require.Less(t, jsontext.Held(r.Reader), 4<<20)
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
