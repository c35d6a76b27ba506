package fileio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// maxAlternatives bounds what the braces of one pattern may multiply to.
const maxAlternatives = 4096

// glob is one pattern without braces, cut at its slashes.
type glob struct {
	// root is what stands before the parts and is not matched: "", "/" or "gs://bucket/".
	root  string
	parts []string
}

// parseGlob checks a pattern and writes out its braces: a{b,c} is ab and ac. A final
// slash stands for all files below the folder.
func parseGlob(pattern string) ([]glob, error) {
	if _, err := storeOf(pattern); err != nil {
		return nil, err
	}
	if !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf("pattern %s: brackets or braces are not closed", pattern)
	}
	root, rest := splitRoot(pattern)
	alternatives, err := expandBraces(rest, nil)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", pattern, err)
	}
	globs := make([]glob, len(alternatives))
	for i, alternative := range alternatives {
		if alternative == "" || strings.HasSuffix(alternative, "/") {
			alternative += "**"
		}
		// A run of ** says no more than one of them, and would cost exponential time.
		parts := slices.CompactFunc(strings.Split(alternative, "/"), func(a, b string) bool { return a == "**" && b == "**" })
		globs[i] = glob{root: root, parts: parts}
	}
	return globs, nil
}

// splitRoot splits off what stands before the names of a path.
func splitRoot(path string) (root, rest string) {
	if root, _, rest = splitCloud(path); root != "" {
		return root, rest
	}
	rest = strings.TrimLeft(path, "/")
	if rest != path {
		root = "/"
	}
	return root, cleanParts(rest)
}

// cleanParts drops the empty and the "." parts of a local pattern, so that a file has
// one path however it was written. It keeps "..", which may cross a symbolic link.
func cleanParts(pattern string) string {
	var kept []string
	for part := range strings.SplitSeq(pattern, "/") {
		if part != "" && part != "." {
			kept = append(kept, part)
		}
	}
	cleaned := strings.Join(kept, "/")
	if strings.HasSuffix(pattern, "/") && cleaned != "" {
		cleaned += "/"
	}
	return cleaned
}

// expandBraces appends the alternatives of a valid pattern to all.
func expandBraces(pattern string, all []string) ([]string, error) {
	open, class := -1, false
	for i := 0; i < len(pattern) && open < 0; i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '{':
			open = i
		}
	}
	if open < 0 {
		if len(all) == maxAlternatives {
			return nil, fmt.Errorf("its braces make more than %d patterns", maxAlternatives)
		}
		return append(all, pattern), nil
	}
	depth, from := 0, open+1
	var choices []string
	for i := open; ; i++ {
		if i >= len(pattern) {
			return nil, errors.New("a brace is not closed")
		}
		switch pattern[i] {
		case '\\':
			i++
		case '{':
			depth++
		case ',':
			if depth == 1 {
				choices = append(choices, pattern[from:i])
				from = i + 1
			}
		case '}':
			if depth--; depth > 0 {
				continue
			}
			var err error
			for _, choice := range append(choices, pattern[from:i]) {
				if all, err = expandBraces(pattern[:open]+choice+pattern[i+1:], all); err != nil {
					return nil, err
				}
			}
			return all, nil
		}
	}
}

// literal returns the name a part stands for if it stands for only one.
func literal(part string) (name string, ok bool) {
	if !strings.ContainsAny(part, `*?[\`) {
		return part, true
	}
	var out strings.Builder
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '*', '?', '[':
			return "", false
		case '\\':
			if i++; i == len(part) {
				return "", false
			}
		}
		out.WriteByte(part[i])
	}
	return out.String(), true
}

// fixed returns the leading names that stand for only themselves, and the other parts.
func (g glob) fixed() (names, parts []string) {
	parts = g.parts
	for len(parts) > 0 {
		name, ok := literal(parts[0])
		if !ok {
			break
		}
		names, parts = append(names, name), parts[1:]
	}
	return names, parts
}

// matchName matches one part with one name. What begins with a dot or an underscore
// is hidden (temporary files, _SUCCESS): it matches only where that is spelled out.
func matchName(part, name string) bool {
	if hidden(name) && !hidden(strings.TrimPrefix(part, `\`)) {
		return false
	}
	ok, err := doublestar.Match(part, name)
	return ok && err == nil
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// match matches parts with the names of a path below the root.
func match(parts, names []string) bool {
	if len(parts) == 0 {
		return len(names) == 0
	}
	if parts[0] != "**" {
		return len(names) > 0 && matchName(parts[0], names[0]) && match(parts[1:], names[1:])
	}
	if len(parts) == 1 { // the file itself is left, so that a/** does not match a
		return len(names) > 0 && !slices.ContainsFunc(names, hidden)
	}
	for i := range names {
		if match(parts[1:], names[i:]) {
			return true
		}
		if hidden(names[i]) {
			return false
		}
	}
	return false
}

// Escape returns the pattern that a path alone matches.
func Escape(path string) string {
	var out strings.Builder
	for _, c := range []byte(path) {
		if strings.IndexByte(`*?[]{}\`, c) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(c)
	}
	return out.String()
}
