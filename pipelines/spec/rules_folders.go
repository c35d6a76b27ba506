package spec

import "strings"

// separate reports outputs that share a folder, or lie in one another: readers of the
// one would find files of the other.
func (r *reader) separate(o *Outputs) {
	all := o.all()
	for i, a := range all {
		for _, b := range all[:i] {
			if a.folder == "" || b.folder == "" {
				continue
			}
			// The problem stands at the output that the file names, if only one does.
			at, other := a.key, b.key
			if !r.isSet(r.output(at)) {
				at, other = other, at
			}
			nAt := r.output(at)
			if r.isSet(nAt.key("path")) {
				nAt = nAt.key("path")
			}
			n := r.at(nAt)
			switch {
			case a.folder == b.folder:
				p := r.problem("T1401", n, nAt, "%s and %s have the same folder", at, other)
				p.Got, p.Hint = a.folder, "give each output a folder of its own"
				r.add(p)
			case inside(a.folder, b.folder) || inside(b.folder, a.folder):
				p := r.problem("T1402", n, nAt, "the folders of %s and %s lie in one another", at, other)
				p.Got, p.Hint = a.folder, "put them side by side, like out/samples and out/late"
				r.add(p)
			}
		}
	}
}

// inside tells whether a folder lies somewhere in another one.
func inside(folder, outer string) bool {
	return strings.HasPrefix(folder, strings.TrimSuffix(outer, "/")+"/")
}
