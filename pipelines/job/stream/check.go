package stream

import (
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// codeFiles is of files where a stream takes topics only.
const codeFiles = "T2013"

// checkSpec refuses a spec with files that a stream would leave unread or unwritten: inputs, and
// the folder of accounts. The error is a problem.List with all of them.
func checkSpec(s *spec.Spec) error {
	var problems problem.List
	for _, in := range s.Inputs() {
		if in.Topic != "" {
			continue
		}
		p := problem.New(codeFiles, in.At, "", "a stream reads topics, and this is files")
		p.Got, p.Hint = in.Path, "join it with `tributary join`"
		problems = append(problems, p)
	}
	if s.Outputs.Accounts != "" {
		p := s.Problem(codeFiles, "a stream keeps its accounts in a topic, and this is a folder", "outputs", "accounts")
		p.Hint = "name a topic, or join it with `tributary join`"
		problems = append(problems, p)
	}
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	return problems
}
