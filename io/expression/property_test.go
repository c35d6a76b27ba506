package expression

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// TestSimpleExpressionsAreConditions: a conjunction of FIELD == LITERAL is the conditions that a mapping has, and the same for every
// record where it is evaluated as an expression.
func TestSimpleExpressionsAreConditions(t *testing.T) {
	values := []any{nil, "like", "Like", "true", "TRUE", "5", "05", "5.0", "", "é", true, false, 0, 5, -5, 5.5, 1e6, json.Number("100000000000000000000"), json.Number("5.0"), json.Number("1e6")}
	fields := []string{"kind", "type", "ctx.int", `ctx.ad`}
	rapid.Check(t, func(t *rapid.T) {
		var texts []string
		var want []Condition
		for range rapid.IntRange(1, 3).Draw(t, "conditions") {
			c := Condition{Field: rapid.SampledFrom(fields).Draw(t, "field")}
			var literal string
			switch v := rapid.SampledFrom(values[1:]).Draw(t, "literal").(type) {
			case string:
				c.Value, literal = v, strconv.Quote(v)
			case bool:
				c.Value, c.Type = strconv.FormatBool(v), BoolCondition
				literal = c.Value
			case json.Number:
				continue
			case float64:
				c.Value, c.Type = strconv.FormatFloat(v, 'g', -1, 64), NumberCondition
				literal = strconv.FormatFloat(v, 'e', -1, 64)
			default:
				c.Value, c.Type = fmt.Sprint(v), NumberCondition
				literal = c.Value
			}
			want = append(want, c)
			if rapid.Bool().Draw(t, "turned") {
				texts = append(texts, literal+" == "+c.Field)
			} else {
				texts = append(texts, c.Field+" == "+literal)
			}
		}
		if len(want) == 0 {
			return
		}
		text := strings.Join(texts, " && ")
		e, err := Parse(text)
		require.NoError(t, err, text)
		require.True(t, e.Simple)
		require.Equal(t, want, e.Conditions)

		// The same as an expression that is not simple.
		e, err = Parse("!(!(" + text + "))")
		require.NoError(t, err, text)
		require.False(t, e.Simple)
		require.Empty(t, e.Conditions)
		p, err := e.Program()
		require.NoError(t, err)

		rec := map[string]any{}
		ctx := map[string]any{}
		for _, field := range fields {
			if rapid.IntRange(0, 4).Draw(t, "there") == 0 {
				continue
			}
			v := rapid.SampledFrom(values).Draw(t, field)
			if name, inside := strings.CutPrefix(field, "ctx."); inside {
				ctx[name], rec["ctx"] = v, ctx
			} else {
				rec[field] = v
			}
		}
		line, err := json.Marshal(rec)
		require.NoError(t, err)
		extract := func(paths []string) []record.Value {
			out := make([]record.Value, len(paths))
			_, err := jsontext.NewExtractor(paths).Extract(line, out)
			require.NoError(t, err)
			return out
		}
		holds := true
		for i := range want {
			holds = holds && want[i].Holds(extract([]string{want[i].Field})[0])
		}
		var paths []string
		for _, f := range e.Fields {
			paths = append(paths, f.Path)
		}
		got, err := p.Holds(extract(paths))
		require.NoError(t, err)
		require.Equal(t, holds, got, "%s of %s", text, line)
	})
}

// FuzzParse: whatever is written is read or refused with a place inside it, and what is read is evaluated or an error of the record.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`kind == "like"`, `a.b[0] > 3 && has(c)`, "x in [1, 2u, b'a', null]\n|| y", `{"a": b}[c] == d ? 1 : 2`, "`", `a.map(x, x)`, `-a["b"].c`, `r"\d" == .x.y`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			found, ok := AsMistakes(err)
			require.True(t, ok, "%v", err)
			for _, one := range found {
				require.LessOrEqual(t, one.Line, strings.Count(text, "\n")+1)
				require.LessOrEqual(t, one.Column, len(text)+2)
			}
			return
		}
		p, err := e.Program()
		require.NoError(t, err)
		for _, v := range []record.Value{{}, {Kind: record.Int, Int: 3}, {Kind: record.String, Text: []byte("x")}} {
			values := make([]record.Value, len(e.Fields))
			for i := range values {
				values[i] = v
			}
			first, err := p.Holds(values)
			again, errAgain := p.Holds(values)
			require.Equal(t, first, again)
			require.Equal(t, err == nil, errAgain == nil)
		}
	})
}
