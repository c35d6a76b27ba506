package spec

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/pipelines/spec/problem"
)

// whereType is conditions: fields and the values that they must have, or an expression.
var whereType = valueType[Where]{
	about: about{
		what: "a mapping of fields to values or an expression",
		schema: object{{"anyOf", []any{
			ref("text"),
			object{
				{"type", "object"},
				{"minProperties", 1},
				{"propertyNames", ref("field")},
				{"additionalProperties", object{{"type", []string{"string", "number", "boolean"}}}},
			},
		}}},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) Where { return r.where(n, at) },
	absent: func(w Where) bool { return w.All() },
	inline: func(w Where) string {
		if w.Expression != "" {
			return quoted(w.Expression)
		}
		parts := make([]string, len(w.Conditions))
		for i, c := range w.Conditions {
			value := c.Value
			if c.Type == TextCondition {
				value = strconv.Quote(value)
			}
			parts[i] = quoted(c.Field) + ": " + value
		}
		return braced(parts)
	},
	text: func(w Where) string {
		if w.Expression != "" {
			return w.Expression
		}
		parts := make([]string, len(w.Conditions))
		for i, c := range w.Conditions {
			parts[i] = c.Field + " = " + c.Value
		}
		return strings.Join(parts, ", ")
	},
}

// where reads conditions; what no record can have is reported.
func (r *reader) where(n *node, at dotted) Where {
	if n.kind == textKind {
		return r.expression(n, at)
	}
	return Where{Conditions: r.conditions(n, at)}
}

// expression reads conditions as an expression.
func (r *reader) expression(n *node, at dotted) Where {
	text, asks := r.parsed(n, at, expression.Parse)
	if asks == nil {
		return Where{}
	}
	out := Where{Expression: text, Rest: !asks.Simple}
	for _, c := range asks.Conditions {
		out.Conditions = append(out.Conditions, Condition{Field: c.Field, Value: c.Value, Type: conditionTypes[c.Type]})
	}
	return out
}

// parsed reads an expression; what is wrong with it is reported, and then it is nil.
func (r *reader) parsed(n *node, at dotted, parse func(string) (*expression.Expression, error)) (text string, asks *expression.Expression) {
	if text = r.text(n, at); text == "" {
		return "", nil
	}
	asks, err := parse(text)
	if err == nil {
		return text, asks
	}
	found, ok := expression.AsMistakes(err)
	if !ok {
		r.add(r.problem("T1115", n, at, "%v", err))
	}
	for _, one := range found {
		r.add(r.mistake(n, at, text, one))
	}
	return text, nil
}

// conditionTypes are those of the conditions in expressions.
var conditionTypes = map[expression.ConditionType]ConditionType{
	expression.TextCondition: TextCondition, expression.NumberCondition: NumberCondition, expression.BoolCondition: BoolCondition,
}

// mistake is a problem with an expression that a scalar holds.
func (r *reader) mistake(n *node, at dotted, text string, one expression.Mistake) problem.Problem {
	code := "T1115"
	if one.Type {
		code = "T1116"
	}
	p := r.problem(code, n, at, "%s (%s of the expression)", one.Message, one.Place)
	if line, column, ok := placeIn(r.lines, n.line, n.column, text, one.Place); ok {
		p.Line, p.Width, p.Source = line, 1, r.line(line)
		p.Column = max(1, min(column, utf8.RuneCountInString(p.Source))) // or behind it, where more was expected
	}
	if !strings.Contains(string(at), "fields.") && (record.IsForeignPath(text) || !strings.ContainsAny(text, " =<>!(")) {
		p.Hint = "an expression is like `where: 'kind == \"like\" && price > 3.0'`"
	}
	return p
}

// placeIn finds a place of text in the lines of a file where the text is a scalar at a line and column; not ok where it is not written
// as it is, but folded or with escapes.
func placeIn(lines []string, line, column int, text string, at expression.Place) (foundLine, foundColumn int, ok bool) {
	texts := strings.Split(text, "\n")
	if at.Line < 1 || at.Line > len(texts) {
		return 0, 0, false
	}
	has := func(line, start int, text string) bool {
		if line < 1 || line > len(lines) || start < 0 {
			return false
		}
		all := []rune(lines[line-1])
		return start <= len(all) && strings.HasPrefix(string(all[start:]), text)
	}
	if len(texts) == 1 {
		for start := column - 1; start <= column; start++ { // a quote may stand before it
			if has(line, start, text) {
				return line, start + at.Column, true
			}
		}
	}
	// A block begins in the line after its mark.
	if line += at.Line; line <= len(lines) {
		start := len(lines[line-1]) - len(strings.TrimLeft(lines[line-1], " "))
		written := strings.TrimLeft(texts[at.Line-1], " ")
		if start -= len(texts[at.Line-1]) - len(written); written != "" && has(line, start, texts[at.Line-1]) {
			return line, start + at.Column, true
		}
	}
	return 0, 0, false
}

// ExpressionPlace is where a place of the expression at a path stands in the file, and that line; the beginning of the
// expression, if it is not written there as it is.
func (s *Spec) ExpressionPlace(text string, at expression.Place, path ...string) (position problem.Position, source string) {
	m := s.mark(path)
	position = m.value
	if line, column, ok := placeIn(s.lines, position.Line, position.Column, text, at); ok {
		position.Line, position.Column = line, column
	}
	if position.Line <= len(s.lines) {
		source = s.lines[position.Line-1]
	}
	return position, source
}

// conditions reads a mapping.
func (r *reader) conditions(n *node, at dotted) []Condition {
	if n.kind == mapKind && len(n.pairs) == 0 {
		p := r.problem("T1012", n, at, "has no condition")
		p.Hint = "leave it out to take every record"
		r.add(p)
		return nil
	}
	if n.kind == listKind {
		p := r.problem("T1010", n, at, "must be a mapping of fields to values or an expression, got %s", n.kind)
		p.Hint = "for example `where: {kind: like}`"
		r.add(p)
		return nil
	}
	f := r.pairs(n, at, &section{name: "where"}, nil)
	if f == nil {
		return nil
	}
	var out []Condition
	for _, p := range n.pairs {
		where, at := at, at.key(p.key.text)
		field := r.checkFieldPath(p.key, at)
		r.mark(where.key(field), p.key, p.value)
		if c, ok := r.condition(p.value, at); ok {
			c.Field = field
			out = append(out, c)
		}
	}
	return out
}

func (r *reader) condition(n *node, at dotted) (Condition, bool) {
	switch n = n.number(); n.kind {
	case textKind:
		return Condition{Value: n.text, Type: TextCondition}, true
	case boolKind:
		return Condition{Value: n.text, Type: BoolCondition}, true
	case intKind:
		_, ok := r.decimal(n, at, true)
		return Condition{Value: n.text, Type: NumberCondition}, ok
	case floatKind:
		if _, ok := (record.Value{Kind: record.String, Text: []byte(n.text)}).Number(); ok {
			return Condition{Value: n.text, Type: NumberCondition}, true
		}
		p := r.problem("T1110", n, at, "no record matches: %s is no finite number, and equals nothing", n.text)
		p.Got = n.text
		p.Hint = "put it in quotes if the field holds this text"
		r.add(p)
	case nullKind:
		p := r.problem("T1110", n, at, "no record matches: a field without a value equals nothing")
		p.Hint = "put null in quotes if the field holds this text"
		r.add(p)
	case badKind:
		r.failed[at] = true
	default:
		p := r.problem("T1010", n, at, "must be one value, got %s", n.kind)
		p.Hint = "for several values make several kinds"
		r.add(p)
	}
	return Condition{}, false
}
