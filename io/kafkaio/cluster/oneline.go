package cluster

import (
	"strings"
	"unicode"
)

// OneLine is what an answer says, which may be a page of a proxy, in one line.
func OneLine(err error) string {
	const most = 200
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
