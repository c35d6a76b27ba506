package spec

import "strings"

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
