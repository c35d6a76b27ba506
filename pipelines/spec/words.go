package spec

import "regexp"

// KindName turns a name into one that a kind of engagement may have: addToCart is add_to_cart.
// It is empty if nothing sensible comes of it.
func KindName(name string) string { return kindGuess(name) }

// plainPattern is a pattern of files that YAML takes for text wherever it stands.
var plainPattern = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./=-]*\*[A-Za-z0-9_./*=-]*$`)

// Quote writes text as a value or key of YAML, in quotes where it needs them.
func Quote(text string) string {
	if plainPattern.MatchString(text) {
		return text
	}
	return inYAML(text)
}
