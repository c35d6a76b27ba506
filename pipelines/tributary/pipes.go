package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/io/format"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// codeTerminal is of stdin and stdout that are a terminal.
const codeTerminal = "T1429"

// pipes give a join the stdin and stdout of the command, if its spec names them.
type pipes struct {
	// results take the report: stdout, or stderr where samples go to stdout.
	results io.Writer
	stdout  *untilClosed // nil if no samples go there
}

// openPipes refuses terminals, and puts stdin and stdout into the options.
func openPipes(cmd *cobra.Command, s *spec.Spec, opt *batch.Options) (*pipes, error) {
	p := &pipes{results: cmd.OutOrStdout()}
	if err := checkTerminals(s, isTerminal(cmd.InOrStdin()), isTerminal(cmd.OutOrStdout())); err != nil {
		return nil, err
	}
	if s.ReadsStdin() {
		opt.Stdin = cmd.InOrStdin()
	}
	if s.WritesStdout() {
		p.stdout = &untilClosed{to: cmd.OutOrStdout()}
		opt.Stdout, p.results = p.stdout, cmd.ErrOrStderr()
		// Or else the signal would end the process in the midst, with its temporary files left behind.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	return p, nil
}

// pipedIn is stdin for who looks at inputs, nil if it is a terminal.
func pipedIn(cmd *cobra.Command) io.Reader {
	if isTerminal(cmd.InOrStdin()) {
		return nil
	}
	return cmd.InOrStdin()
}

// isTerminal tells whether a person types or reads there.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// checkTerminals refuses to wait for records that nobody types, and to show what is no text.
func checkTerminals(s *spec.Spec, stdin, stdout bool) error {
	var problems problem.List
	_, sources := job.Of(s)
	if i := slices.IndexFunc(sources, func(src job.Source) bool { return src.IsStdin() }); i >= 0 && stdin {
		found := sources[i].Problem(s, codeTerminal, "stdin is a terminal: records are not typed")
		found.Hint = "pipe them in, as in `tributary join " + s.File + " < views.jsonl`"
		problems = append(problems, found)
	}
	o := s.Outputs.Samples
	files, err := format.Get[format.Files](string(o.Format))
	if text := err == nil && files.Text() && o.Codec == spec.NoCodec; o.IsStdout() && stdout && !text {
		found := s.Problem(codeTerminal, "stdout is a terminal, and samples are not text as "+string(o.Format)+" ("+string(o.Codec)+")", "outputs", "samples")
		found.Hint = "pipe it into a file or a program, or write json"
		problems = append(problems, found)
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// end says what a reader of stdout has not taken.
func (p *pipes) end(cmd *cobra.Command) {
	if p.stdout != nil && p.stdout.closed {
		tell(cmd.ErrOrStderr(), "stdout was closed before all samples were written: what is not read is gone\n")
	}
}

// untilClosed writes until whoever reads has enough, as head has, and then takes no notice: that is no fault.
type untilClosed struct {
	to     io.Writer
	closed bool
}

func (u *untilClosed) Write(b []byte) (int, error) {
	if u.closed {
		return len(b), nil
	}
	n, err := u.to.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		u.closed = true
		return len(b), nil
	}
	return n, err
}
