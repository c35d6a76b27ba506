package expression

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// CEL has no names with a $, which fields beside a record's value begin with ($key). They are read with _ in its place, which changes no
// place in the text, and named again in what was read.

// hideDollars replaces each $ that begins a name, and returns where they were.
func hideDollars(text string) (hidden string, at map[Place]bool) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	at = map[Place]bool{}
	out := []byte(text)
	place := Place{1, 1}
	for i := 0; i < len(text); {
		n := 1
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "//"):
			n = len(rest)
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				n = end
			}
		case rest[0] == '"' || rest[0] == '\'':
			n = literalLength(rest, isRaw(text[:i]))
		case rest[0] == '$' && len(rest) > 1 && isLetter(rest[1]) && (i == 0 || !isLetter(text[i-1])):
			at[place], out[i] = true, '_'
		}
		for n > 0 && i < len(text) {
			r, size := utf8.DecodeRuneInString(text[i:])
			if place.Column++; r == '\n' {
				place = Place{place.Line + 1, 1}
			}
			i, n = i+size, n-size
		}
	}
	return string(out), at
}

// literalLength is how long the text or bytes are that rest begins with.
func literalLength(rest string, raw bool) int {
	quote := rest[:1]
	if strings.HasPrefix(rest, strings.Repeat(quote, 3)) {
		quote = rest[:3]
	}
	for i := len(quote); i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(rest[i:], quote):
			return i + len(quote)
		}
	}
	return len(rest)
}

// isRaw tells whether a quote behind before begins text in which \ is a character like others: r"a\b".
func isRaw(before string) bool {
	prefix := before[len(strings.TrimRight(before, "rRbB")):]
	whole := before[:len(before)-len(prefix)]
	return strings.ContainsAny(prefix, "rR") && len(prefix) <= 2 && (whole == "" || !isLetter(whole[len(whole)-1]))
}

func isLetter(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// showDollars gives the names at those places their $ again.
func showDollars(tree *cel.Ast, at map[Place]bool) {
	if len(at) == 0 {
		return
	}
	source := &rewriter{source: tree.NativeRep().SourceInfo()}
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && at[source.place(e.ID())] {
			e.SetKindCase(factory.NewIdent(e.ID(), "$"+e.AsIdent()[1:]))
		}
	}))
}
