package spec

import (
	"regexp"
	"slices"
	"strings"
)

// Patterns of names, as the JSON Schema has them too.
const (
	clusterPattern  = `^[a-z][a-z0-9_-]*$`
	brokerPattern   = `^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$`
	envPattern      = `^[A-Za-z_][A-Za-z0-9_]*$`
	registryPattern = `^https?://[A-Za-z0-9.\[\]:_-]+(/[^?#\s]*)?$`
)

var (
	clusterForm  = regexp.MustCompile(clusterPattern)
	brokerForm   = regexp.MustCompile(brokerPattern)
	envForm      = regexp.MustCompile(envPattern)
	registryForm = regexp.MustCompile(registryPattern)
	// otherTools write the value of an environment variable like this.
	otherTools = regexp.MustCompile(`^\$\{(?:env:)?([A-Z_][A-Z0-9_]*)\}$`)
)

func (r *reader) clusters(n *node, at dotted, above *fields) []Cluster {
	f := r.pairs(n, at, clustersSection, above)
	if f == nil {
		return nil
	}
	if len(n.pairs) == 0 {
		p := r.problem("T1012", n, at, "names no cluster")
		p.Hint = "begin with a name, like `main:`, on a line of its own, indented"
		r.add(p)
	}
	var out []Cluster
	for _, p := range n.pairs {
		if f.found[p.key.text].key != p.key {
			continue // named twice
		}
		at := at.key(p.key.text)
		if p.value.kind != mapKind && clusterSection.has(p.key.text) {
			bad := r.problem("T1603", p.key, at, "%q is a key of a cluster, and clusters have names", p.key.text)
			bad.Hint = "put a name above it, like `main:`, and indent it more"
			r.add(bad)
			continue
		}
		if !clusterForm.MatchString(p.key.text) {
			bad := r.problem("T1603", p.key, at, "%q cannot be the name of a cluster", p.key.text)
			bad.Got, bad.Allowed = p.key.text, []string{"small letters, digits, _ and -, beginning with a letter"}
			r.add(bad)
		}
		c := Cluster{Name: p.key.text}
		clusterSection.read(r, p.value, at, f, &c)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *reader) broker(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" || brokerForm.MatchString(text) {
		return text
	}
	if strings.Contains(text, "@") {
		r.hide(n, n)
		p := r.problem("T1103", n, at, "a broker's address holds no user and no password")
		p.Hint = "name them under sasl, the password as {env: NAME}"
		r.add(p)
		return ""
	}
	p := r.problem("T1606", n, at, "%q is not the address of a broker", text)
	p.Got, p.Allowed = text, []string{"HOST:PORT"}
	_, guess, isURL := strings.Cut(text, "://")
	if !isURL {
		guess = text
	}
	if guess = strings.TrimSuffix(guess, "/"); !strings.Contains(guess, ":") {
		guess += ":9092"
	}
	if brokerForm.MatchString(guess) {
		p.Nearest, p.Fix = guess, r.replaced(n, guess)
	} else if strings.Contains(text, ",") {
		p.Hint = "write a list: [kafka-1:9092, kafka-2:9092]"
	}
	r.add(p)
	return ""
}

// tls reads true, false, or a mapping.
func (r *reader) tls(n *node, at dotted, above *fields) *TLS {
	if n.kind == boolKind {
		if n.text == "true" {
			return &TLS{}
		}
		return nil
	}
	var t TLS
	f := tlsSection.read(r, n, at, above, &t)
	if f == nil {
		return nil
	}
	r.together(f, "cert", "key")
	return &t
}

// together reports one of two keys that need each other.
func (r *reader) together(f *fields, a, b string) {
	_, hasA := f.found[a]
	_, hasB := f.found[b]
	switch {
	case hasA && !hasB:
		f.missing(b)
	case hasB && !hasA:
		f.missing(a)
	}
}

// smallFile reads the name of a local file that is read when a client is made.
func (r *reader) smallFile(n *node, at dotted) string {
	if n.kind == textKind && pem.MatchString(n.text) {
		r.hide(n, n)
		p := r.problem("T1608", n, at, "this is the content of a file: its name belongs here")
		p.Hint = "write it to a file and name that; specs are shared, printed and logged"
		r.add(p)
		return ""
	}
	text := r.text(n, at)
	if text == "" {
		return ""
	}
	if strings.HasPrefix(text, "~") || strings.Contains(text, "$") || strings.Contains(text, "://") {
		p := r.problem("T1625", n, at, "this is not the path of a local file: ~ and variables are not replaced, URLs not fetched")
		p.Got, p.Hint = text, "write the path out; relative ones begin at the spec's folder"
		r.add(p)
		return ""
	}
	return r.resolve(text, false)
}

// yes reads true or false.
func (r *reader) yes(n *node, at dotted) bool {
	switch n.kind {
	case boolKind:
		return n.text == "true"
	case badKind:
		r.failed[at] = true
	case nullKind:
		r.add(r.problem("T1012", n, at, "has no value"))
	default:
		p := r.problem("T1010", n, at, "must be true or false, got %s", n.kind)
		p.Allowed = []string{"true", "false"}
		switch strings.ToLower(n.text) {
		case "yes", "on", "true", "1":
			p.Fix = r.replaced(n, "true")
		case "no", "off", "false", "0":
			p.Fix = r.replaced(n, "false")
		}
		r.add(p)
	}
	return false
}
