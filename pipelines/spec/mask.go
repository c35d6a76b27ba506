package spec

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// secret matches what must not stand in a URL of a spec: a user with a password, and
// the keys and signatures of signed URLs.
var secret = regexp.MustCompile(`(?i)//[^/\s'",\[\]{}]*@|[?&](access_token|token|sig|signature|key|secret|password|googleaccessid|x-goog-[a-z-]+)=[^\s'",\]}]*`)

// secretWord is how keys of secrets are called, here and in the settings of other tools.
const secretWord = `(?:password|passwd|passphrase|secret|token|api[_-]?key)`

var (
	secretKey = regexp.MustCompile(`(?i)(?:^|[._-])` + secretWord + `$`)
	// secretPair finds a secret's key in a line that may not be YAML at all.
	secretPair = regexp.MustCompile(`(?i)` + secretWord + `["']?\s*[:=]\s*`)
	// pem begins a key that was pasted where its file should be named.
	pem = regexp.MustCompile(`-----BEGIN|\n`)
)

// maskSecrets hides what URLs and keys of secrets hold, character for character, so
// that columns still fit: problems are printed and logged.
func maskSecrets(line string) string {
	line = secret.ReplaceAllStringFunc(line, func(found string) string {
		start, end := strings.IndexByte(found, '=')+1, len(found)
		if strings.HasPrefix(found, "//") {
			start, end = 2, len(found)-1 // up to the @
		}
		return found[:start] + stars(found[start:end]) + found[end:]
	})
	var out strings.Builder
	for {
		at := secretPair.FindStringIndex(line)
		if at == nil {
			out.WriteString(line)
			return out.String()
		}
		end := at[1] + secretLength(line[at[1]:], strings.Contains(line[:at[0]], "{"))
		out.WriteString(line[:at[1]] + stars(line[at[1]:end]))
		line = line[end:]
	}
}

// secretLength is how many bytes of the rest of a line are a secret: none where a
// mapping begins, which only says where the secret is.
func secretLength(rest string, flow bool) int {
	if rest == "" || strings.ContainsAny(rest[:1], "{}") {
		return 0
	}
	end := len(rest)
	if quote := rest[0]; quote == '"' || quote == '\'' {
		if i := strings.IndexByte(rest[1:], quote); i >= 0 {
			end = i + 2
		}
	} else if i := strings.IndexAny(rest, ",}"); flow && i >= 0 {
		end = i
	}
	return end
}

func stars(text string) string {
	return strings.Repeat("*", utf8.RuneCountInString(text))
}

// masked is text of a problem without secrets.
func (r *reader) masked(text string) string {
	for _, hidden := range r.hidden {
		text = strings.ReplaceAll(text, hidden, stars(hidden))
	}
	return maskSecrets(text)
}

// hideSecrets hides every plain value of a key that is called like a secret, wherever
// it stands: also in a place where no such key is known.
func (r *reader) hideSecrets(n *node) {
	for _, p := range n.pairs {
		if secretKey.MatchString(p.key.text) {
			r.hide(p.key, p.value)
		}
		r.hideSecrets(p.value)
	}
	for _, item := range n.items {
		r.hideSecrets(item)
	}
}

// hide masks a scalar in the lines that problems show, and in their texts. A scalar over
// several lines reaches down to where the indentation ends.
func (r *reader) hide(key, value *node) {
	switch value.kind {
	case textKind, intKind, floatKind, boolKind:
	default:
		return
	}
	// Shorter ones would hide half of what problems say.
	if len(value.text) >= 4 {
		r.hidden = append(r.hidden, value.text)
	}
	whole := value.width > 1 || utf8.RuneCountInString(value.text) == 1 // stands in its line
	if line := []rune(r.line(value.line)); value.column <= len(line) {
		start, end := value.column-1, len(line)
		if whole {
			end = min(start+value.width, end)
		}
		r.lines[value.line-1] = string(line[:start]) + strings.Repeat("*", end-start) + string(line[end:])
	}
	if whole {
		return
	}
	for i := value.line; i < len(r.lines); i++ {
		text := strings.TrimLeft(r.lines[i], " ")
		indent := len(r.lines[i]) - len(text)
		if text != "" && indent < key.column {
			return
		}
		r.lines[i] = r.lines[i][:indent] + stars(text)
	}
}
