package spec

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// kind is the type of a node.
type kind uint8

const (
	badKind kind = iota // a problem has been reported; nothing more is said about it
	nullKind
	boolKind
	intKind
	floatKind
	textKind
	mapKind
	listKind
)

// String names the type as problems do.
func (k kind) String() string {
	return [...]string{"nothing", "nothing", "true or false", "a whole number", "a number", "text", "a mapping", "a list"}[k]
}

// node is a YAML value with its place: the small part of YAML that specs use.
type node struct {
	kind kind
	// text is the value of a scalar: quotes and escapes resolved, numbers as written.
	text         string
	line, column int
	// width is how many characters the scalar takes in its line, at least 1.
	width int
	// flow says that a mapping or list is written with brackets.
	flow bool
	// plain says that text is written without quotes.
	plain bool
	// merged says that a mapping had a merge key: what it lacks may be meant to come
	// from there.
	merged bool
	pairs  []pair
	items  []*node
}

// pair is a key with its value; keys are text, whatever they look like.
type pair struct {
	key   *node
	value *node
}

// exponentForm is a number in YAML which the parser takes for text.
var exponentForm = regexp.MustCompile(`^[-+]?[0-9]+[eE][-+]?[0-9]+$`)

// number is the node where a number should stand: one with an exponent and no point, like
// 1e-3, is text to the parser.
func (n *node) number() *node {
	if n.kind != textKind || !n.plain || !exponentForm.MatchString(n.text) {
		return n
	}
	out := *n
	out.kind = floatKind
	return &out
}

// deepest is how deep mappings and lists may nest; specs need seven levels, and
// records in tests some more.
const deepest = 32

// parseTree reads YAML into nodes. Syntax and features that specs do not take are
// reported; the tree is nil if there is nothing to go on with.
func (r *reader) parseTree(content []byte) *node {
	file, err := parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	var root *node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if d, ok := doc.Body.(*ast.DirectiveNode); ok {
			r.refuse(d, "YAML directives are not taken", "leave the line out")
			continue
		}
		if root != nil {
			p := r.problem("T1005", place(doc.Body), "", "a spec is one YAML document; here a second one begins")
			p.Hint = "give each join a file of its own, or take the line of dashes out"
			r.add(p)
			return nil
		}
		root = r.convert(doc.Body, 0)
	}
	return root
}

// syntax reports what the YAML parser stumbled over.
func (r *reader) syntax(err error) {
	at := &node{line: 1, column: 1}
	message := err.Error()
	var detail yaml.Error
	if errors.As(err, &detail) {
		message = detail.GetMessage()
		if t := detail.GetToken(); t != nil && t.Position != nil {
			at.line, at.column = max(1, min(t.Position.Line, len(r.lines))), max(1, t.Position.Column)
		}
	}
	p := r.problem("T1001", at, "", "this is not YAML: %s", message)
	switch {
	case strings.HasPrefix(message, "mapping value is not allowed"):
		p.Hint = "a value with a colon and a space in it needs quotes"
	case strings.HasPrefix(message, "value is not allowed"):
		p.Hint = "indent the line like the other keys of its mapping"
	case strings.Contains(message, "must be specified"):
		p.Hint = "a bracket was opened above and is not closed"
	case strings.Contains(message, "reserved character"), strings.Contains(message, "alias name"), strings.Contains(message, "directive"):
		p.Hint = "put the value in quotes"
		p.Fix = r.quoted(at)
	case strings.Contains(message, "end character"):
		p.Hint = "close the quotes"
	}
	r.add(p)
}

// refuse reports a feature of YAML that specs do not take.
func (r *reader) refuse(n ast.Node, message, hint string) *node {
	at := place(n)
	p := r.problem("T1006", at, "", "%s", message)
	p.Hint = hint
	if alias, ok := n.(*ast.AliasNode); ok && !r.anchored(alias) {
		p.Hint = "put it in quotes"
		p.Fix = r.quoted(at)
	}
	r.add(p)
	return at
}

// anchored tells whether an alias means an anchor, and not text that begins with *.
func (r *reader) anchored(alias *ast.AliasNode) bool {
	name := ""
	if alias.Value != nil && alias.Value.GetToken() != nil {
		name = alias.Value.GetToken().Value
	}
	return name != "" && slices.ContainsFunc(r.lines, func(line string) bool { return strings.Contains(line, "&"+name) })
}

// quoted returns the line with quotes around the plain value at a node.
func (r *reader) quoted(at *node) string {
	line := []rune(r.line(at.line))
	start := at.column - 1
	if start < 0 || start >= len(line) {
		return ""
	}
	end := start
	for end < len(line) && !strings.ContainsRune(",]}#", line[end]) {
		end++
	}
	value := strings.TrimRight(string(line[start:end]), " ")
	return r.edited(at.line, edit{start, start + utf8.RuneCountInString(value), strconv.Quote(value)})
}

// place is a node of no kind where n begins.
func place(n ast.Node) *node {
	out := &node{line: 1, column: 1, width: 1}
	// The token of a block mapping is the colon of its first pair.
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return place(m.Values[0].Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.line, out.column = t.Position.Line, t.Position.Column
		if origin := strings.TrimSpace(t.Origin); !strings.ContainsAny(origin, "\r\n") {
			out.width = max(1, utf8.RuneCountInString(origin))
		}
	}
	return out
}

// convert turns the parser's tree into nodes.
func (r *reader) convert(n ast.Node, depth int) *node {
	if depth > deepest {
		at := place(n)
		r.add(r.problem("T1004", at, "", "this is nested deeper than %d levels", deepest))
		return at
	}
	out := place(n)
	switch v := n.(type) {
	case *ast.NullNode:
		out.kind = nullKind
	case *ast.BoolNode:
		out.kind, out.text = boolKind, strconv.FormatBool(v.Value)
	case *ast.IntegerNode:
		out.kind, out.text = intKind, v.GetToken().Value
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = floatKind, v.GetToken().Value
	case *ast.StringNode:
		out.kind, out.text, out.plain = textKind, v.Value, v.Token.Type == token.StringType
	case *ast.LiteralNode:
		out.kind, out.text = textKind, v.Value.Value
	case *ast.SequenceNode:
		out.kind, out.flow = listKind, v.IsFlowStyle
		for _, item := range v.Values {
			next := r.convert(item, depth+1)
			if v.IsFlowStyle {
				next = r.unsplit(next)
			}
			out.items = append(out.items, next)
		}
	case *ast.MappingNode:
		out.kind, out.flow = mapKind, v.IsFlowStyle
		for _, value := range v.Values {
			r.convertPair(out, value, depth)
		}
	case *ast.MappingValueNode:
		out = place(v.Key)
		out.kind = mapKind
		r.convertPair(out, v, depth)
	case *ast.AnchorNode:
		return r.refuse(n, "anchors are not taken", "write the value out")
	case *ast.AliasNode:
		return r.refuse(n, "text that begins with * is an alias in YAML, and aliases are not taken", "write the value out")
	case *ast.TagNode:
		return r.refuse(n, "tags are not taken", "leave the tag out; quotes make text of anything")
	default:
		return r.refuse(n, "this part of YAML is not taken", "write a plain value, mapping or list")
	}
	return out
}

// unsplit makes text of an item like host:9092, which in brackets within braces is
// parsed as a mapping: in YAML a colon needs a space to be one.
func (r *reader) unsplit(n *node) *node {
	if n.kind != mapKind || n.flow || len(n.pairs) != 1 {
		return n
	}
	key, value := n.pairs[0].key, n.pairs[0].value
	line, colon := []rune(r.line(key.line)), key.column-1+key.width
	scalar := value.kind == textKind || value.kind == intKind || value.kind == floatKind || value.kind == boolKind
	if !scalar || value.line != key.line || value.column != colon+2 || colon >= len(line) || line[colon] != ':' || line[key.column-1] == '"' || line[key.column-1] == '\'' {
		return n
	}
	return &node{kind: textKind, text: key.text + ":" + value.text, line: key.line, column: key.column, width: key.width + 1 + value.width}
}

func (r *reader) convertPair(out *node, v *ast.MappingValueNode, depth int) {
	key := place(v.Key)
	switch k := v.Key.(type) {
	case *ast.MergeKeyNode:
		r.refuse(k, "merge keys are not taken", "write the keys out")
		out.merged = true
		return
	case *ast.MappingKeyNode:
		r.refuse(k, "keys must be plain", "write the key as `key: value`")
		return
	case *ast.StringNode:
		key.text = k.Value
	default:
		key.text = k.GetToken().Value
	}
	key.kind = textKind
	if v.Value == nil {
		out.pairs = append(out.pairs, pair{key, &node{kind: nullKind, line: key.line, column: key.column, width: key.width}})
		return
	}
	out.pairs = append(out.pairs, pair{key, r.convert(v.Value, depth+1)})
}
