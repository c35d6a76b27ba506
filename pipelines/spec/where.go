package spec

import (
	"strconv"
	"strings"

	"tributary/io/record"
)

// whereType is conditions: fields and the values that they must have.
var whereType = valueType[[]Condition]{
	about: about{
		what: "a mapping of fields to values",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", ref("field")},
			{"additionalProperties", object{{"type", []string{"string", "number", "boolean"}}}},
		},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) []Condition { return r.where(n, at) },
	absent: func(all []Condition) bool { return len(all) == 0 },
	inline: func(all []Condition) string {
		parts := make([]string, len(all))
		for i, c := range all {
			value := c.Value
			if c.Type == TextCondition {
				value = strconv.Quote(value)
			}
			parts[i] = quoted(c.Field) + ": " + value
		}
		return braced(parts)
	},
	text: func(all []Condition) string {
		parts := make([]string, len(all))
		for i, c := range all {
			parts[i] = c.Field + " = " + c.Value
		}
		return strings.Join(parts, ", ")
	},
}

// where reads conditions; what no record can have is reported.
func (r *reader) where(n *node, at dotted) []Condition {
	if n.kind == mapKind && len(n.pairs) == 0 {
		p := r.problem("T1012", n, at, "has no condition")
		p.Hint = "leave it out to take every record"
		r.add(p)
		return nil
	}
	if n.kind == textKind || n.kind == listKind {
		p := r.problem("T1010", n, at, "must be a mapping of fields to values, got %s", n.kind)
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
