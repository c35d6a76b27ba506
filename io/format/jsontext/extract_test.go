package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

func extract(t *testing.T, text string, paths ...string) []record.Value {
	t.Helper()
	values := make([]record.Value, len(paths))
	for i := range values {
		values[i] = record.Value{Kind: record.Bool, Int: 7} // must not stay
	}
	n, err := NewExtractor(paths).Extract([]byte(text), values)
	require.NoError(t, err, text)
	require.Equal(t, len(text), n)
	return values
}

func TestExtract(t *testing.T) {
	for _, c := range []struct {
		name, text, path, want string
		kind                   record.Kind
	}{
		{"text", `{"a":"x"}`, "a", `"x"`, record.String},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\té\ud83d\ude00"}`, "a", `"\"\\/\b\f\n\r\té😀"`, record.String},
		{"empty text", `{"a":""}`, "a", `""`, record.String},
		{"whole number", `{"a":42}`, "a", "42", record.Int},
		{"2^53+1", `{"a":9007199254740993}`, "a", "9007199254740993", record.Int},
		{"largest", `{"a":9223372036854775807}`, "a", "9223372036854775807", record.Int},
		{"smallest", `{"a":-9223372036854775808}`, "a", "-9223372036854775808", record.Int},
		{"one too many", `{"a":9223372036854775808}`, "a", "9223372036854775808", record.Number},
		{"larger than a double", `{"a":1e999}`, "a", "1e999", record.Float},
		{"minus nothing", `{"a":-0}`, "a", "0", record.Int},
		{"fraction", `{"a":1.0}`, "a", "1.0", record.Float},
		{"exponent", `{"a":-1e3}`, "a", "-1e3", record.Float},
		{"true", `{"a":true}`, "a", "true", record.Bool},
		{"false", `{"a":false}`, "a", "false", record.Bool},
		{"null", `{"a":null}`, "a", "null", record.Null},
		{"absent", `{"b":1}`, "a", "null", record.Null},
		{"in an empty object", ` { } `, "a", "null", record.Null},
		{"nested", `{"x":{"a":{"b":1}},"user":{"name":"u","id":5}}`, "user.id", "5", record.Int},
		{"through a number", `{"user":5}`, "user.id", "null", record.Null},
		{"through an array", `{"user":[{"id":5}]}`, "user.id", "null", record.Null},
		{"name with a dot", `{"user.id":5}`, "user.id", "5", record.Int},
		{"nested before a name with a dot", `{"user.id":5,"user":{"id":6}}`, "user.id", "6", record.Int},
		{"nested before a later name with a dot", `{"user":{"id":6},"user.id":5}`, "user.id", "6", record.Int},
		{"nested null gives way", `{"user":{"id":null},"user.id":5}`, "user.id", "5", record.Int},
		{"object under a name with a dot", `{"user.id":{"x":5}}`, "user.id", "null", record.Null},
		{"a name twice with one value", `{"a":2,"b":1,"b":2,"a":2}`, "a", "2", record.Int},
		{"an object twice with one value", `{"user":{"id":1},"user":{"id":1}}`, "user.id", "1", record.Int},
		{"name with escapes", `{"\u0061":1}`, "a", "1", record.Int},
		{"names are exact", `{"A":1,"aa":2,"":3}`, "a", "null", record.Null},
		{"empty name", `{"":3}`, "", "3", record.Int},
		{"empty names in a path", `{"a":{"":{"b":3}}}`, `a."".b`, "3", record.Int},
		{"a name with a dot in quotes", `{"a":{"b":1},"a.b":2}`, `"a.b"`, "2", record.Int},
		{"a name in quotes is no path", `{"a":{"b":1}}`, `"a.b"`, "null", record.Null},
		{"a name with a dot inside", `{"a.b":{"c":2}}`, `"a.b".c`, "2", record.Int},
		{"a name with quotes", `{"5\" screen":2}`, `"5"" screen"`, "2", record.Int},
		{"a name with spaces and signs", `{"Created (UTC)/x":2}`, "Created (UTC)/x", "2", record.Int},
		{"no wildcards", `{"ab":1}`, "a*", "null", record.Null},
		{"no counting", `{"a":[1,2]}`, "a.#", "null", record.Null},
		{"names with signs", `{"a*":1,"#":{"@this|x":2}}`, "#.@this|x", "2", record.Int},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := extract(t, c.text, c.path)[0]
			assert.Equal(t, c.kind, got.Kind)
			assert.Equal(t, c.want, got.String())
		})
	}
}

func TestExtractSeveral(t *testing.T) {
	paths := []string{"c", "a.b", "a.b", "a.d", "q.0", "q.1", "q.2", "q.3", "q.4", "q.5"}
	got := extract(t, `{"a":{"b":1,"d":"x"},"c":true,"q.5":5}`, paths...)
	var text []string
	for _, v := range got {
		text = append(text, v.String())
	}
	assert.Equal(t, []string{"true", "1", "1", `"x"`, "null", "null", "null", "null", "null", "5"}, text)
}

func TestExtractErrors(t *testing.T) {
	for _, c := range []struct{ text, path, want string }{
		{`{"user":{"id":{}}}`, "user.id", "field user.id is an object, not a plain value"},
		{`{"a":[]}`, "a", "field a is an array, not a plain value"},
		{`{"a":"x\ud83d"}`, "a", `\ud83d at byte 8 is half of a surrogate pair, which is no character`},
		{`{"a":"\ude00\ud83d"}`, "a", `\ude00 at byte 7 is half of a surrogate pair, which is no character`},
		{`{"a":"\\\ud83d\n"}`, "a", `\ud83d at byte 9 is half of a surrogate pair, which is no character`},
		{`{"b":"\ud83d"}`, "a", `\ud83d at byte 7 is half of a surrogate pair, which is no character`},
		{`{"\ud83d":1}`, "a", `\ud83d at byte 3 is half of a surrogate pair, which is no character`},
		{"{\"b\":[\"é\xff\"],\"a\":1}", "a", "text is not UTF-8: byte 10 is 0xff"},
		{"{\"a\":1,\"b\":{\"12345678\xed\xa0\x80\":1}}", "a", "text is not UTF-8: byte 22 is 0xed"},
		{`{"a":1,"b":2,"a":2}`, "a", "the name a is there twice, with the values 1 and 2"},
		{`{"a":{"b":1},"a":{"b":2}}`, "a.b", `the name a is there twice, with the values {"b":1} and {"b":2}`},
		{`{"a":{"b":1,"b":null}}`, "a.b", "the name a.b is there twice, with the values 1 and null"},
		{`{"a.b":1,"a.b":"1"}`, "a.b", `the name a.b is there twice, with the values 1 and "1"`},
		{`{"a":"\ud83d\u0041"}`, "a", `\ud83d at byte 7 is half of a surrogate pair, which is no character`},
		{`[1]`, "a", errNotObject.Error()},
		{``, "a", errNotObject.Error()},
		{`{"a":1}x`, "a", `invalid JSON at byte 8: want the end of the record, got "x"`},
		{`{"a":1,}`, "a", `invalid JSON at byte 8: want a name in quotes, got "}"`},
		{`{"a"}`, "a", `invalid JSON at byte 5: want ":", got "}"`},
		{`{"a":tru}`, "a", `invalid JSON at byte 6: want a value, got "t"`},
		{`{"a":01}`, "a", `invalid JSON at byte 7: want "," or "}", got "1"`},
		{`{"a":-}`, "a", `invalid JSON at byte 7: want a digit, got "}"`},
		{`{"a":1.}`, "a", `invalid JSON at byte 8: want a digit, got "}"`},
		{`{"a":"\x"}`, "a", `invalid JSON at byte 7: want an escape like \n or \u00e9, got "\\"`},
		{`{"a":"\u12g4"}`, "a", `invalid JSON at byte 7: want an escape like \n or \u00e9, got "\\"`},
		{"{\"a\":\"\n\"}", "a", `invalid JSON at byte 7: want a control character in a string written as an escape, got "\n"`},
		{`{"a":"`, "a", `invalid JSON at byte 7: want the closing quote of a string, got the end`},
		{`{"a":`, "a", `invalid JSON at byte 6: want a value, got the end`},
		{`{`, "a", `invalid JSON at byte 2: want a name in quotes, got the end`},
	} {
		_, err := NewExtractor([]string{c.path}).Extract([]byte(c.text), make([]record.Value, 1))
		require.EqualError(t, err, c.want, c.text)
	}
	_, err := NewExtractor([]string{"a"}).Extract([]byte("{}"), nil)
	require.EqualError(t, err, "extract: 0 values for 1 paths")
}

// Text that has no escapes is not copied.
func TestExtractDoesNotAllocate(t *testing.T) {
	rec := []byte(`{"user":{"id":"u1"},"ts":1767225600000,"item":"xyz","score":0.25}`)
	values := make([]record.Value, 4)
	e := NewExtractor([]string{"user.id", "ts", "item", "score"})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := e.Extract(rec, values); err != nil {
			t.Error(err)
		}
	}))
}

// wantValue finds a path in what encoding/json made of a record.
func wantValue(rec map[string]any, path string) (v record.Value, isPlain bool) {
	var at any = rec
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			at = nil
			break
		}
		at = object[name]
	}
	if at == nil && strings.Contains(path, ".") {
		at = rec[path]
		switch at.(type) {
		case map[string]any, []any:
			at = nil
		}
	}
	switch at := at.(type) {
	case nil:
		return record.Value{}, true
	case bool:
		if at {
			return record.Value{Kind: record.Bool, Int: 1}, true
		}
		return record.Value{Kind: record.Bool}, true
	case string:
		return record.Value{Kind: record.String, Text: []byte(at)}, true
	case json.Number:
		if n, ok := new(big.Int).SetString(string(at), 10); ok && n.IsInt64() {
			return record.Value{Kind: record.Int, Int: n.Int64()}, true
		}
		f, _ := at.Float64()
		if !strings.ContainsAny(string(at), ".eE") {
			return record.Value{Kind: record.Number, Text: []byte(at)}, true
		}
		return record.Value{Kind: record.Float, Float: f, Text: []byte(at)}, true
	}
	return record.Value{}, false
}

func checkAgainstJSON(t require.TestingT, text []byte, paths []string) {
	values := make([]record.Value, len(paths))
	n, err := NewExtractor(paths).Extract(text, values)
	var record map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	wantErr := d.Decode(&record)
	if wantErr == nil && d.More() {
		wantErr = errors.New("more after it")
	}
	valid := json.Valid(text) && record != nil
	if !valid {
		require.Error(t, err, "%q is not JSON: %v", text, wantErr)
		return
	}
	for i, path := range paths {
		want, plain := wantValue(record, path)
		if !plain {
			require.Error(t, err, "%q: %s is not plain", text, path)
			return
		}
		if err == nil && utf8.Valid(text) {
			require.Equal(t, want.String(), values[i].String(), "%q: %s", text, path)
			require.Equal(t, want.Kind, values[i].Kind, "%q: %s", text, path)
		}
	}
	if err != nil { // in a member that a later one replaces, or in what encoding/json did not have to convert
		require.Regexp(t, "not a plain value|surrogate|not UTF-8|there twice|at most 512 levels", err.Error(), "%q", text)
		return
	}
	require.Equal(t, len(text), n)
}

// noText matches errors about strings that are JSON and no text.
var noText = regexp.MustCompile("surrogate|not UTF-8")

func FuzzExtractor(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":{"c":"x"},"b.c":2}`, `{"a":"\u00e9\ud83d\ude00","b":null}`, `{"a":[1,{"b":2}],"b":{"c":1.5e3}}`,
		` {"a" : -0.0 , "a" : true } `, `{"a":12345678901234567890}`, `{"b":{"c":1},"b":3}`, `{"\u0061":"\"\\"}`, `{"a":"12345678\n12345678"}`, "{\xffa",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checkAgainstJSON(t, text, []string{"a", "b.c"})
		if len(text) > 0 {
			end, err := skipValue(text, 0, 0)
			if err != nil && noText.MatchString(err.Error()) {
				return // which is for JSON's grammar to take
			}
			if text[0] != ' ' && text[0] != '\t' && text[0] != '\n' && text[0] != '\r' && !deep(text) {
				require.Equal(t, json.Valid(text), err == nil && skipSpace(text, end) == len(text), "%q: %v", text, err)
			}
		}
		quoted := AppendString(nil, text)
		end, escaped, err := skipString(quoted, 0)
		if !utf8.Valid(text) {
			require.ErrorContains(t, err, "not UTF-8")
			return
		}
		var back string
		require.NoError(t, json.Unmarshal(quoted, &back))
		require.Equal(t, string(text), back)
		require.NoError(t, err)
		require.Equal(t, len(quoted), end)
		if escaped {
			require.Equal(t, text, unescape([]byte{}, quoted[1:end-1]))
		}
	})
}

func deep(text []byte) bool {
	return bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxDepth
}

// anyJSON draws a JSON value as text.
func anyJSON(depth int) *rapid.Generator[string] {
	plain := []*rapid.Generator[string]{
		rapid.SampledFrom([]string{"null", "true", "false", "-0", "1e5", "0.1", "9223372036854775807", "9223372036854775808", `"\ud800"`}),
		rapid.Custom(func(t *rapid.T) string { return strconv.FormatInt(rapid.Int64().Draw(t, "int"), 10) }),
		rapid.Custom(func(t *rapid.T) string {
			text, _ := json.Marshal(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float"))
			return string(text)
		}),
		rapid.Custom(func(t *rapid.T) string {
			text, _ := json.Marshal(rapid.String().Draw(t, "string"))
			return string(text)
		}),
	}
	if depth > 0 {
		plain = append(plain, anyObject(depth-1), rapid.Custom(func(t *rapid.T) string {
			return "[" + strings.Join(rapid.SliceOfN(anyJSON(depth-1), 0, 3).Draw(t, "items"), " , ") + "]"
		}))
	}
	return rapid.OneOf(plain...)
}

func anyObject(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var out strings.Builder
		out.WriteString("{")
		for i := range rapid.IntRange(0, 5).Draw(t, "members") {
			if i > 0 {
				out.WriteString(",\t")
			}
			name := rapid.SampledFrom([]string{"a", "b", "c", "b.c", `\u0062`, "d", ""}).Draw(t, "name")
			fmt.Fprintf(&out, "\"%s\" :%s", name, anyJSON(depth).Draw(t, "value"))
		}
		return out.String() + "}"
	})
}

func TestExtractorAgainstJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyObject(3).Draw(t, "record")
		values := make([]record.Value, 4)
		paths := []string{"a", "b.c", "b.c.d", "d"}
		_, err := NewExtractor(paths).Extract([]byte(text), values)
		var record map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		require.NoError(t, d.Decode(&record))
		if err != nil {
			require.Regexp(t, "not a plain value|surrogate|there twice", err.Error())
			return
		}
		for i, path := range paths {
			want, plain := wantValue(record, path)
			require.True(t, plain, "%s: %s", text, path)
			require.Equal(t, want.Kind, values[i].Kind, "%s: %s", text, path)
			require.Equal(t, want.String(), values[i].String(), "%s: %s", text, path)
		}
	})
}
