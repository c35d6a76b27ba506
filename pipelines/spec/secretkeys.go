package spec

import (
	"slices"
	"strings"
)

// secretType says where a secret is found, tokenType where a token is or what prints it.
var (
	secretType = valueType[Secret]{
		about:  about{what: "a mapping", schema: ref("secret"), inner: []*section{secretSection}},
		read:   (*reader).secret,
		absent: empty[Secret],
		inline: Secret.yaml,
		text:   Secret.text,
	}
	tokenType = valueType[Token]{
		about:  about{what: "a mapping", schema: ref("token"), inner: []*section{tokenSection}},
		read:   (*reader).token,
		absent: func(t Token) bool { return !t.IsSet() },
		inline: func(t Token) string { return tokenSection.inline(&t) },
		text:   Token.text,
	}
)

// userType is a name, or where it is found.
var userType = valueType[Secret]{
	about: about{what: "text or a mapping", schema: ref("user"), inner: []*section{secretSection}},
	read: func(r *reader, n *node, at dotted, f *fields) Secret {
		if n.kind == mapKind {
			return r.secret(n, at, f)
		}
		return Secret{Text: r.text(n, at)}
	},
	absent: empty[Secret],
	inline: Secret.yaml,
	text:   Secret.text,
}

var secretSection = &section{
	name: "a secret", doc: "Where a secret is found when it is needed: one of these.",
	keys: []key{
		{
			name: "env", example: "KAFKA_PASSWORD",
			doc:   "The environment variable that holds it.",
			value: at(textLike(about{what: "a name", schema: matching(envPattern)}, (*reader).variable), func(t *Token) *string { return &t.Env }),
		},
		{
			name: "file", example: "/run/secrets/kafka",
			doc:   "The file that holds it.",
			value: at(smallFileType, func(t *Token) *string { return &t.File }),
		},
	},
	rules: oneKey,
}

var tokenSection = &section{
	name: "a token", doc: "Where a token is found when it is needed: one of these.",
	keys: append(slices.Clone(secretSection.keys), key{
		name: "command", example: "[get-token, --audience, kafka]",
		doc:   "The program that prints it, and its arguments, run where the client is.",
		value: at(commandType, func(t *Token) *[]string { return &t.Command }),
	}),
	rules: oneKey,
}

// oneKey is the schema of a mapping with exactly one key.
var oneKey = []any{object{{"minProperties", 1}, {"maxProperties", 1}}}

// commandType is a program and its arguments.
var commandType = valueType[[]string]{
	about:  about{what: "a list of a program and its arguments", schema: ref("command")},
	read:   func(r *reader, n *node, at dotted, _ *fields) []string { return r.command(n, at) },
	absent: func(words []string) bool { return len(words) == 0 },
	inline: list,
}

func (s Secret) text() string {
	switch {
	case s.Env != "":
		return "$" + s.Env
	case s.File != "":
		return s.File
	}
	return s.Text
}

func (s Secret) yaml() string {
	if s.Text != "" {
		return quoted(s.Text)
	}
	return secretSection.inline(&Token{Secret: s})
}

func (t Token) text() string {
	if t.Command != nil {
		return "what `" + strings.Join(t.Command, " ") + "` prints"
	}
	return t.Secret.text()
}
