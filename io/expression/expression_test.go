package expression

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// evaluate is what an expression is for a record of JSON.
func evaluate(t *testing.T, text, json string) (bool, error) {
	t.Helper()
	p, values := prepare(t, Parse, text, json)
	return p.Holds(values)
}

// prepare compiles an expression and reads the fields that it asks for.
func prepare(t *testing.T, parse func(string) (*Expression, error), text, json string) (*Program, []record.Value) {
	t.Helper()
	e, err := parse(text)
	require.NoError(t, err, text)
	p, err := e.Program()
	require.NoError(t, err, text)
	paths := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		paths[i] = f.Path
	}
	values := make([]record.Value, len(paths))
	_, err = jsontext.NewExtractor(paths).Extract([]byte(json), values)
	require.NoError(t, err, json)
	return p, values
}

// TestValue has what a computed field is of records of JSON, as messages show values.
func TestValue(t *testing.T) {
	for _, test := range []struct{ text, json, want string }{
		{`user + "/" + item`, `{"user":"a","item":"b"}`, `"a/b"`},
		{`n + 1`, `{"n":2}`, "3"},
		{`n * 1.5`, `{"n":2.0}`, "3"},
		{`double(n) / 3.0`, `{"n":1}`, "0.3333333333333333"},
		{`n`, `{"n":12345678901234567890123}`, "12345678901234567890123"}, // as it is
		{`n`, `{"n":0.10}`, "0.10"},
		{`n`, `{}`, "null"},
		{`uint(n)`, `{"n":7}`, "7"},
		{`18446744073709551615u`, `{}`, "18446744073709551615"},
		{`a > b`, `{"a":2,"b":1}`, "true"},
		{`kind == "like"`, `{}`, "false"},
		{`has(price) ? double(price) * 2.0 : null`, `{}`, "null"},
		{`has(price) ? double(price) * 2.0 : null`, `{"price":"1.5"}`, "3"},
		{`null`, `{}`, "null"},
	} {
		p, values := prepare(t, ParseValue, test.text, test.json)
		got, err := p.Value(values)
		require.NoError(t, err, test.text)
		assert.Equal(t, test.want, got.String(), "%s of %s", test.text, test.json)
	}
	for _, test := range []struct{ text, json, want string }{
		{`price * 2.0`, `{"price":"dear"}`, `line 1, column 7: does not go with these types, where price is "dear"`},
		{`{"a": [1], "b": 2}[kind]`, `{"kind":"a"}`, "is not true or false, a number or text"},
	} {
		p, values := prepare(t, ParseValue, test.text, test.json)
		_, err := p.Value(values)
		assert.ErrorContains(t, err, test.want, test.text)
	}
	for text, want := range map[string]string{
		`[a, b]`: "must be true or false, a number or text, and is of type list", `timestamp(a)`: "must be true or false, a number or text", `a +`: "mismatched input",
	} {
		_, err := ParseValue(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestHolds(t *testing.T) {
	for _, test := range []struct {
		text, json string
		want       bool
	}{
		{`kind == "like"`, `{"kind":"like"}`, true},
		{`kind == "like"`, `{"kind":"Like"}`, false},
		{`kind == "like"`, `{}`, false},
		{`kind != "like"`, `{}`, true},
		{`kind in ["like", "share"]`, `{"kind":"share"}`, true},
		{`!(kind in ["like", 5])`, `{"kind":"buy"}`, true},
		{`n == 5`, `{"n":5.0}`, true},
		{`n == 5`, `{"n":"5"}`, true}, // as a mapping
		{`5.0 == n`, `{"n":5}`, true},
		{`n > 4`, `{"n":4.5}`, true},
		{`n > 4.5`, `{"n":5}`, true},
		{`n >= 1 && n < 1e30`, `{"n":100000000000000000000}`, true},
		{`a == b`, `{"a":1,"b":1.0}`, true},
		{`a == b`, `{}`, true}, // null is null
		{`a == null`, `{}`, true},
		{`has(a.b) && a.b > 1`, `{"a":{"b":2}}`, true},
		{`has(a.b) && a.b > 1`, `{"a":{"b":null}}`, false},
		{`has(a.b) && a.b > 1`, `{"a":null}`, false},
		{`has(a)`, `{"a":""}`, false},
		{`user.name.startsWith("x") || user["e-mail"].endsWith("@y")`, `{"user":{"name":"a","e-mail":"b@y"}}`, true},
		{`type == "view" && int > 1 && size(string) == 2`, `{"type":"view","int":2,"string":"äö"}`, true},
		{`ad && true`, `{"ad":true}`, true},
		{`ad == true`, `{"ad":"TRUE"}`, true},
		{`!ad || n > 3`, `{"ad":false}`, true},
		{`double(price) * 2.0 > 3.0`, `{"price":"1.6"}`, true},
		{`text.matches("^a+$")`, `{"text":"aaa"}`, true},
		{`timestamp(at).getHours() == 7`, `{"at":"2026-01-02T07:30:00Z"}`, true},
		{`n % 2 == 1 ? s == "odd" : s == "even"`, `{"n":3,"s":"odd"}`, true},
		{`{"a": 1, "b": 2}[kind] > 1`, `{"kind":"b"}`, true},
		// Each side of && and || may fail where the other decides.
		{`n > 3 && kind == "like"`, `{"kind":"share"}`, false},
		{`n > 3 || kind == "like"`, `{"kind":"like"}`, true},
	} {
		got, err := evaluate(t, test.text, test.json)
		require.NoError(t, err, test.text)
		assert.Equal(t, test.want, got, "%s of %s", test.text, test.json)
	}
}

func TestErrorsNameThePlaceAndTheValue(t *testing.T) {
	for _, test := range []struct{ text, json, want string }{
		{`kind == "like" && price > 3`, `{"kind":"like"}`, `line 1, column 25: does not go with these types, where price is null`},
		{`price > 3`, `{"price":"4"}`, `line 1, column 7: does not go with these types, where price is "4"`},
		{"ok &&\n  price * 2 > 3", `{"ok":true,"price":1.5}`, `line 2, column 9: does not go with these types, where price is 1.5`},
		{`n > 1 ? ad : other`, `{"n":2,"ad":"yes"}`, `line 1, column 7: is not true or false, where n is 2, ad is "yes", other is null`},
		{`n / m > 1`, `{"n":1,"m":0}`, `line 1, column 3: division by zero, where n is 1, m is 0`},
	} {
		_, err := evaluate(t, test.text, test.json)
		assert.EqualError(t, err, test.want, test.text)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		text, want string
		types      bool
	}{
		{`kind ==`, "", false},
		{`kind = "like"`, "", false},
		{`kind == "like" and n > 3`, "", false},
		{`items.exists(i, i > 3)`, "there is no macro exists", false},
		{`n > lower(kind)`, "there is no function 'lower'", true},
		{`1 + "a" == 2`, "line 1, column 3", true},
		{`"a" + kind`, "must be true or false, and is text", true},
		{`impression`, "is a field and no condition", true},
		{`size(kind)`, "must be true or false, and is a number (int)", true},
		{`kind.matches("(")`, "line 1, column 14", true},
		{`in > 3`, "", false},
		{`has(n + 1)`, "has() is of a field", false},
		{`google.protobuf.Duration{} == d`, "messages", false},
		{"", "", false},
		{"a == \"\xff\"", "is not UTF-8", false},
		{strings.Repeat("a", LongestText+1), "at most 4096", false},
		{"true" + strings.Repeat(" || n > 1", 400), "", false},
		{strings.Repeat("(", 1000) + "ad" + strings.Repeat(")", 1000), "", false},
	} {
		_, err := Parse(test.text)
		found, ok := AsMistakes(err)
		if assert.True(t, ok, "%s: %v", test.text, err) {
			t.Log(test.text[:min(len(test.text), 40)], "=>", err)
			assert.Contains(t, err.Error(), test.want, test.text)
			assert.Equal(t, test.types, found[0].Type, test.text)
		}
	}
}

func TestCheckHoldsTypes(t *testing.T) {
	types := map[string]Type{
		"s": TypeOf(record.String, false), "i": TypeOf(record.Int, false), "f": TypeOf(record.Float, true), "b": TypeOf(record.Bool, true),
		"c": Column, "d": TypeOf(record.Decimal, false), "x": TypeOf(record.Bytes, false), "u": Any,
	}
	for text, want := range map[string]string{
		`s == "a" && i > 3 && f > 0.5 && d < 3.5`: "",
		`i > 3.5 || f > 3`:                        "",
		`b || false`:                              "",
		`b && has(f)`:                             "",
		`f == null`:                               "",
		`c == 5 && c == true && c.size() > 3`:     "",
		`u > 3 && u == "a" && u`:                  "",
		`x == b"a"`:                               "",
		`s == 5`:                                  "line 1, column 3 of the expression",
		`b && s > 5`:                              "line 1, column 8 of the expression",
		`i in ["a"]`:                              "line 1, column 3 of the expression",
		`i * f > 3.0`:                             "line 1, column 3 of the expression",
		`c > 5`:                                   "line 1, column 3 of the expression",
		`b ? s : s`:                               "must be true or false, and is text",
	} {
		e, err := Parse(text)
		require.NoError(t, err, text)
		err = e.Check(func(path string) Type { return types[path] })
		if want == "" {
			assert.NoError(t, err, text)
			continue
		}
		if assert.ErrorContains(t, err, want, text) {
			t.Log(text, "=>", err)
		}
	}
}

func TestConditions(t *testing.T) {
	text, number, boolean := TextCondition, NumberCondition, BoolCondition
	for _, test := range []struct {
		text   string
		want   []Condition
		simple bool
	}{
		{`kind == "like"`, []Condition{{Field: "kind", Value: "like", Type: text}}, true},
		{`kind == "like" && (n == -2 && f == 1e6) && true == ctx.ad`, []Condition{{Field: "kind", Value: "like", Type: text}, {Field: "n", Value: "-2", Type: number}, {Field: "f", Value: "1e+06", Type: number}, {Field: "ctx.ad", Value: "true", Type: boolean}}, true},
		{`kind == "like" && n > 2`, []Condition{{Field: "kind", Value: "like", Type: text}}, false},
		{`kind == "like" || n == 2`, nil, false},
		{`!(kind == "like")`, nil, false},
		{`kind != "like"`, nil, false},
		{`kind == null`, nil, false},
		{`kind && true`, nil, false},
	} {
		e, err := Parse(test.text)
		require.NoError(t, err)
		assert.Equal(t, test.want, e.Conditions, test.text)
		assert.Equal(t, test.simple, e.Simple, test.text)
	}
	e, err := Parse(`a.b > 1 &&` + "\n" + `   c["x.y"] > a.b`)
	require.NoError(t, err)
	assert.Equal(t, []Field{{"a.b", Place{1, 1}}, {`c."x.y"`, Place{2, 4}}}, e.Fields)
}

// Text that is long costs more than a record may.
func TestCostIsLimited(t *testing.T) {
	json := `{"a":"` + strings.Repeat("x", 100_000) + `"}`
	text := `(a + a).matches("x{100}y{100}") || ` + strings.Repeat(`(a+a+a+a).matches("x{50}y") || `, 20) + `false`
	_, err := evaluate(t, text, json)
	assert.ErrorContains(t, err, "cost limit")
	_, err = evaluate(t, text, `{"a":"x"}`)
	assert.NoError(t, err)
}

// TestType has the types of values as schemas make them known.
func TestType(t *testing.T) {
	fields := map[string]Type{"n": TypeOf(record.Int, false), "m": TypeOf(record.Int, true), "x": TypeOf(record.Float, true), "s": TypeOf(record.String, true), "b": TypeOf(record.Bool, false), "d": Any}
	for text, want := range map[string]record.Kind{
		`n`: record.Int, `m`: record.Int, `n + m`: record.Int, `uint(n)`: record.Int, `double(n) / 100.0`: record.Float, `x * 2.0`: record.Float, `s + "/" + string(n)`: record.String,
		`n > 3 && b`: record.Bool, `has(s)`: record.Bool, `s == "a"`: record.Bool, `has(x) ? x * 1.1 : null`: record.Float, `has(x) ? null : size(s)`: record.Int,
		`b ? (has(x) ? x : null) : 1.5`: record.Float, `b ? n : x`: record.Null, `d`: record.Null, `d + 1`: record.Int, `d + d`: record.Null, `string(d)`: record.String, `null`: record.Null,
	} {
		e, err := ParseValue(text)
		require.NoError(t, err, text)
		got, err := e.Type(func(path string) Type { return fields[path] })
		if text == `b ? n : x` { // of an int and a double, which CEL does not take for one
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, got.Kind(), text)
	}
	e, err := ParseValue(`double(price) * 2.0`)
	require.NoError(t, err)
	got, err := e.Type(nil)
	require.NoError(t, err)
	require.Equal(t, record.Float, got.Kind(), "whatever the fields are")
	require.False(t, e.IsField())
	e, err = ParseValue(`a.b`)
	require.NoError(t, err)
	require.True(t, e.IsField())
}

// TestFieldsBesideTheValue: names with a $ are those of fields that a record has beside its value, but in text and comments.
func TestFieldsBesideTheValue(t *testing.T) {
	for text, want := range map[string][]Field{
		`$type == "shop.View" && price > 3`:                       {{"$type", Place{1, 1}}, {"price", Place{1, 25}}},
		"\"ä$a\" == $headers.kind &&\n  $headers[\"a-b\"] != 'x'": {{"$headers.kind", Place{1, 10}}, {"$headers.a-b", Place{2, 3}}},
		`_type == 1 || $type == "a"`:                              {{"_type", Place{1, 1}}, {"$type", Place{1, 15}}},
		`r"\" == $key // $type`:                                   {{"$key", Place{1, 9}}},
		`$key == "\"$x" || a == """"$y""" || b == '$z'`:           {{"$key", Place{1, 1}}, {"a", Place{1, 19}}, {"b", Place{1, 37}}},
		`$index % 2 == 0`:                                         {{"$index", Place{1, 1}}},
	} {
		e, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, e.Fields, text)
	}
	e, err := Parse(`$type == "shop.View" && price > 3`)
	require.NoError(t, err)
	require.Equal(t, []Condition{{Field: "$type", Value: "shop.View"}}, e.Conditions)
	require.Empty(t, e.Memberships)
	e, err = Parse(`n > 3 && $type in ["a", "b"] && (m == 1 || $key in ["c"])`)
	require.NoError(t, err)
	require.Equal(t, [][]Condition{{{Field: "$type", Value: "a"}, {Field: "$type", Value: "b"}}}, e.Memberships)
	_, err = Parse(`a$b == 1`)
	require.Error(t, err)
	_, err = Parse(`$ == 1`)
	require.Error(t, err)
}
