package spec

import (
	"regexp"
	"slices"
	"strings"
)

func (r *reader) sasl(n *node, at dotted, above *fields) *SASL {
	f := r.fields(n, at, saslShape, above)
	if f == nil {
		return nil
	}
	var s SASL
	if n, at := f.get("mechanism"); n != nil {
		s.Mechanism = Mechanism(r.choice(n, at, texts(Mechanisms)))
	}
	s.User, s.Password, s.Insecure = r.login(f)
	if n, at := f.get("token"); n != nil {
		s.Token = r.token(n, at, f)
	}
	if n, at := f.get("extensions"); n != nil {
		s.Extensions = r.extensions(n, at, f)
	}
	if n, at := f.get("credentials"); n != nil {
		if f := r.fields(n, at, commandShape, f); f != nil {
			if n, at := f.get("command"); n != nil {
				s.Credentials = r.command(n, at)
			}
		}
	}
	r.fits(f, s.Mechanism)
	return &s
}

// fits reports the keys that a mechanism lacks, and those that are of another one.
func (r *reader) fits(f *fields, m Mechanism) {
	var needs, takes []string
	switch m {
	case "":
		return // it could not be read
	case OAuthBearer:
		needs, takes = []string{"token"}, []string{"extensions"}
	case AWSMSKIAM:
		takes = []string{"credentials"}
	default:
		needs = []string{"user", "password"}
	}
	for _, key := range needs {
		if _, ok := f.found[key]; !ok {
			f.missing(key)
		}
	}
	for _, key := range []string{"user", "password", "token", "extensions", "credentials"} {
		p, ok := f.found[key]
		if !ok || slices.Contains(needs, key) || slices.Contains(takes, key) {
			continue
		}
		bad := r.problem("T1626", p.key, f.at.key(key), "%s has no use for %s", m, key)
		bad.Got, bad.Allowed = key, append(append([]string{"mechanism"}, needs...), append(takes, "insecure")...)
		bad.Hint = "leave it out, or choose another mechanism"
		r.add(bad)
	}
}

// The forms of extensions, as RFC 7628 has them; auth is Kafka's own.
const (
	extensionNamePattern  = `^[A-Za-z]+$`
	extensionValuePattern = `^[!-~ ]+$`
)

var (
	extensionName  = regexp.MustCompile(extensionNamePattern)
	extensionValue = regexp.MustCompile(extensionValuePattern)
)

// extensions reads what goes with a token.
func (r *reader) extensions(n *node, at dotted, above *fields) map[string]string {
	f := r.pairs(n, at, &section{name: "extensions"}, above)
	if f == nil {
		return nil
	}
	if len(n.pairs) == 0 {
		r.add(r.problem("T1012", n, at, "names no extension"))
	}
	out := map[string]string{}
	for _, p := range n.pairs {
		if f.found[p.key.text].key != p.key {
			continue // named twice
		}
		at := at.key(p.key.text)
		value := r.text(p.value, at)
		switch {
		case !extensionName.MatchString(p.key.text) || p.key.text == "auth":
			bad := r.problem("T1628", p.key, at, "%q cannot be the name of an extension", p.key.text)
			bad.Got, bad.Allowed = p.key.text, []string{"letters, and not auth"}
			r.add(bad)
		case value == "":
		case !extensionValue.MatchString(value):
			bad := r.problem("T1628", p.value, at, "an extension is printable ASCII")
			r.add(bad)
		default:
			out[p.key.text] = value
		}
	}
	return out
}

// login reads who a client is, with keys that brokers and registries share.
func (r *reader) login(f *fields) (user, password Secret, insecure bool) {
	if n, at := f.get("user"); n != nil {
		if n.kind == mapKind {
			user = r.secret(n, at, f)
		} else {
			user.Text = r.text(n, at)
		}
	}
	if n, at := f.get("password"); n != nil {
		password = r.secret(n, at, f)
	}
	if n, at := f.get("insecure"); n != nil {
		insecure = r.yes(n, at)
	}
	return user, password, insecure
}

// secret reads where a secret is to be found.
func (r *reader) secret(n *node, at dotted, above *fields) Secret {
	return r.place(n, at, above, secretShape).Secret
}

// token reads where a token is to be found, or what prints it.
func (r *reader) token(n *node, at dotted, above *fields) Token {
	return r.place(n, at, above, tokenShape)
}

// command reads a program and its arguments.
func (r *reader) command(n *node, at dotted) []string {
	if n.kind != listKind {
		if text := r.text(n, at); text != "" {
			p := r.problem("T1629", n, at, "a command is a list of a program and its arguments: no shell takes it apart")
			p.Got = text
			if words := strings.Fields(text); !strings.ContainsAny(text, `"'\$|&;<>{}[]*?#:,`) && n.width > 1 {
				p.Fix = r.replaced(n, "["+strings.Join(words, ", ")+"]")
			}
			r.add(p)
		}
		return nil
	}
	if len(n.items) == 0 {
		r.add(r.problem("T1012", n, at, "names no program"))
	}
	var out []string
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		text := r.text(item, at)
		if secretPair.MatchString(text) {
			r.hide(item, item)
			p := r.problem("T1608", item, at, "a secret may not stand in a spec, nor among the arguments of a command, which everybody on the machine can see")
			p.Hint = "have the command read it from a file or the environment"
			r.add(p)
		}
		out = append(out, text)
	}
	return out
}

// place reads where something secret is to be found: one key of a shape.
func (r *reader) place(n *node, at dotted, above *fields, shape *section) Token {
	allowed := map[string]string{"env": "{env: VARIABLE}", "file": "{file: PATH}", "command": "{command: [PROGRAM, ARGUMENT]}"}
	var forms []string
	for _, key := range shape.keys {
		forms = append(forms, allowed[key])
	}
	switch n.kind {
	case textKind, boolKind, intKind, floatKind:
		p := r.problem("T1608", n, at, "a secret may not stand in a spec: specs are shared, printed and logged")
		variable := "KAFKA_PASSWORD"
		if name := otherTools.FindStringSubmatch(n.text); name != nil {
			variable = name[1]
		}
		p.Allowed = forms
		p.Hint = "if this one was ever shared, replace it"
		if n.width > 1 { // and not over several lines
			p.Fix = r.replaced(n, "{env: "+variable+"}")
		}
		r.add(p)
		return Token{}
	default: // a mapping, or nothing that could be a secret
	}
	f := r.fields(n, at, shape, above)
	if f == nil {
		return Token{}
	}
	env, envAt := f.get("env")
	file, fileAt := f.get("file")
	var command *node
	var commandAt dotted
	if slices.Contains(shape.keys, "command") {
		command, commandAt = f.get("command")
	}
	places := 0
	for _, n := range []*node{env, file, command} {
		if n != nil {
			places++
		}
	}
	// What is no name of a variable may well be the secret itself.
	named := env == nil || env.kind != textKind || envForm.MatchString(env.text)
	if !named {
		r.hide(env, env)
	}
	if places != 1 {
		if !r.anyFailed(string(at) + ".") {
			p := r.problem("T1609", n, at, "%s is in one place", shape.name)
			p.Allowed = forms
			r.add(p)
		}
		return Token{}
	}
	switch {
	case file != nil:
		return Token{Secret: Secret{File: r.smallFile(file, fileAt)}}
	case command != nil:
		return Token{Command: r.command(command, commandAt)}
	}
	if !named && strings.TrimSpace(env.text) != "" {
		p := r.problem("T1609", env, envAt, "this is not the name of an environment variable")
		p.Allowed = []string{"letters, digits and _, like KAFKA_PASSWORD"}
		if name := otherTools.FindStringSubmatch(env.text); name != nil {
			p.Nearest, p.Fix = name[1], r.replaced(env, name[1])
		}
		r.add(p)
		return Token{}
	}
	return Token{Secret: Secret{Env: r.text(env, envAt)}}
}
