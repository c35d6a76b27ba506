package spec

import (
	"regexp"
	"slices"
	"strings"
)

// topicPattern is what topics are called. A topic of samples must leave room for the
// names that are made of it: <topic>.accounts.
const (
	topicPattern   = `^(\.{0,2}[a-zA-Z0-9_-][a-zA-Z0-9._-]*|\.{3}[a-zA-Z0-9._-]*)$`
	longestTopic   = 249
	longestSamples = 240
)

var topicForm = regexp.MustCompile(topicPattern)

// isTopic tells whether an entry of inputs means a topic, by the keys that it has.
func isTopic(n *node) bool {
	var path, topic bool
	for _, p := range n.pairs {
		switch key := p.key.text; {
		case key == "path":
			path = true
		case slices.Contains([]string{"topic", "cluster", "registry"}, key), Nearest(key, []string{"path", "topic"}) == "topic":
			topic = true
		}
	}
	return topic && !path
}

// bothSorts reports a mapping with a path and a topic.
func (r *reader) bothSorts(n *node, at dotted) bool {
	var path, topic *node
	for _, p := range n.pairs {
		switch p.key.text {
		case "path":
			path = p.key
		case "topic":
			topic = p.key
		}
	}
	if path == nil || topic == nil {
		return false
	}
	p := r.problem("T1601", topic, at.key("topic"), "this is a path already: files or a topic, not both")
	p.Hint = "leave one of path and topic out"
	r.add(p)
	return true
}

// framed reads whether values name their schema in the registry, which those of a format can or not.
func (r *reader) framed(n *node, at dotted, format Format, can bool) bool {
	registry := r.yes(n, at)
	if registry && !can {
		p := r.problem("T1613", n, at, "values in %s have no schema in a registry", strings.ToUpper(string(format)))
		p.Got, p.Fix, p.Hint = "true", r.replaced(n, "false"), "write `format: avro` if values begin with the number of a schema"
		r.add(p)
		return false
	}
	return registry
}

func (r *reader) topic(n *node, at dotted, longest int) string {
	text := r.text(n, at)
	if text == "" || topicForm.MatchString(text) && len(text) <= longest {
		return text
	}
	p := r.problem("T1605", n, at, "this cannot be the name of a topic")
	if len(text) > longest {
		p = r.problem("T1605", n, at, "the name of this topic has at most %d characters, not %d", longest, len(text))
	}
	p.Got, p.Allowed = text, []string{"letters, digits, ., _ and -"}
	p.Hint = "a topic is named, not matched: list each topic"
	r.add(p)
	return ""
}

// InSubject is the subject of the registry that has the schema of a topic's values.
func (in *Input) InSubject() string {
	if in.Subject != "" {
		return in.Subject
	}
	return in.Topic + "-value"
}

// topicType is the name of a topic.
func topicType(longest int) valueType[string] {
	a := about{what: "a topic", schema: ref("topic")}
	if longest < longestTopic {
		a.schema = a.schema.with(member{"maxLength", longest})
	}
	return textLike(a, func(r *reader, n *node, at dotted) string { return r.topic(n, at, longest) })
}
