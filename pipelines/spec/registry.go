package spec

import (
	"strings"
	"unicode"
)

func (r *reader) registry(n *node, at dotted, above *fields) *Registry {
	var out Registry
	f := registrySection.read(r, n, at, above, &out)
	if f == nil {
		return nil
	}
	if n, _ := f.get("token"); n != nil {
		r.apart(f, "token", "user", "password")
	} else {
		r.together(f, "user", "password")
	}
	return &out
}

// apart reports keys that say in another way what one key says.
func (r *reader) apart(f *fields, one string, others ...string) {
	for _, other := range others {
		if p, ok := f.found[other]; ok {
			bad := r.problem("T1626", p.key, f.at.key(other), "%s says who the client is, and so does %s", one, other)
			bad.Hint = "leave out the one or the other"
			r.add(bad)
			return
		}
	}
}

func (r *reader) registryURL(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" || registryForm.MatchString(text) {
		return strings.TrimSuffix(text, "/")
	}
	if secret.MatchString(text) {
		p := r.problem("T1103", n, at, "a secret in a URL: specs are shared, printed and logged")
		p.Hint = "name user and password beside the url, the password as {env: NAME}, or a token"
		r.add(p)
		return ""
	}
	p := r.problem("T1610", n, at, "this is not the address of a registry")
	p.Got, p.Allowed = text, []string{"http://HOST:PORT/PATH", "https://HOST:PORT/PATH"}
	if guess := "http://" + text; !strings.Contains(text, "://") && registryForm.MatchString(guess) && !strings.ContainsFunc(text, unicode.IsSpace) {
		p.Nearest, p.Fix = guess, r.replaced(n, guess)
	}
	r.add(p)
	return ""
}
