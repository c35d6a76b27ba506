package spec

import "regexp"

// Standard is the path of standard input among inputs, and of standard output as the place of samples.
const Standard = "-"

// stdinName and stdoutName are what people are told of them.
const stdinName, stdoutName = "stdin", "stdout"

// IsStdin tells whether the input is standard input.
func (in *Input) IsStdin() bool { return in.Path == Standard }

// IsStdout tells whether samples go to standard output.
func (o *Output) IsStdout() bool { return o.Path == Standard }

// ReadsStdin tells whether some input is standard input.
func (s *Spec) ReadsStdin() bool { return s.Stdin() != nil }

// Stdin is the first input that is standard input, nil if none is. All that are have the same format.
func (s *Spec) Stdin() *Input {
	for _, in := range s.Inputs() {
		if in.IsStdin() {
			return &in
		}
	}
	return nil
}

// WritesStdout tells whether samples go to standard output, and nowhere else.
func (s *Spec) WritesStdout() bool { return s.Outputs.Samples.IsStdout() }

// pipeRules looks at what standard input and standard output cannot be: read in two ways, or more than one file of samples.
func (r *reader) pipeRules(s *Spec) {
	var first *Input
	for _, in := range s.Inputs() {
		switch {
		case !in.IsStdin():
		case first == nil:
			first = &in
		case in.Format != first.Format || in.Delimiter != first.Delimiter:
			at := r.places[in.At]
			p := r.problem("T1426", r.at(at), at, "stdin is %s here and %s in line %d: it is read once, for all who take records of it", in.reads(), first.reads(), first.At.Line)
			p.Got, p.Hint = in.reads(), "describe it alike everywhere; `where` tells its records apart"
			r.add(p)
		}
	}
	sinks := s.Outputs.SampleSinks()
	for i := range sinks {
		if !sinks[i].IsStdout() {
			continue
		}
		at := r.output(s.Outputs.all()[i].key)
		if len(sinks) > 1 {
			p := r.problem("T1426", r.at(at), at, "samples go to stdout and to other places")
			p.Hint = "name one place; `tee` makes two of stdout"
			for j := range sinks {
				r.drop("T1602", string(r.output(s.Outputs.all()[j].key))) // which says less
			}
			r.add(p)
			return
		}
		r.stdoutRules(s, at)
	}
}

// stdoutRules looks for settings of samples that are more than one file.
func (r *reader) stdoutRules(s *Spec, at dotted) {
	o := s.Outputs.Samples
	for _, key := range []struct {
		name string
		set  bool
	}{{"folders", o.Folders == FolderOfHour}, {"compact", o.Compact > 0}} {
		if at := at.key(key.name); key.set && r.ok(at) {
			r.add(r.without("T1427", at, "stdout takes all samples, one after another, and no folders"))
		}
	}
	if len(s.Stages) > 0 && o.Stages != FinalStage && r.ok(at.key("stages")) {
		p := r.problem("T1427", r.at(at), at, "samples of each stage have a folder of their own, and stdout has none")
		p.Hint = "write the final ones, with `stages: final`, or name a folder"
		r.add(p)
	}
}

// reads says in which form an input is read.
func (in *Input) reads() string {
	if in.Delimiter != "" {
		return string(in.Format) + " with the delimiter " + string(in.Delimiter)
	}
	return string(in.Format)
}

// stdin is the input that is standard input: nothing but the spec tells its format.
func (r *reader) stdin(n *node, at dotted, whole *node, format Format) (Input, bool) {
	if format == "" {
		p := r.problem("T1104", n, at, "stdin has no ending that tells the format")
		p.Got, p.Allowed = Standard, texts(Formats)
		p.Hint = `write a mapping: {path: "-", format: json}`
		if whole.kind == mapKind {
			p.Hint = "add format: json, or what it is"
		}
		r.add(p)
		return Input{}, false
	}
	return Input{Path: Standard, Format: format, Order: OrderNone, At: r.position(whole)}, true
}

// devices are the paths by which systems call standard input and output.
const devices = `^/dev/(std(in|out|err)|fd/.*|tty)$`

var deviceForm = regexp.MustCompile(devices)
