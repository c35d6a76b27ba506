package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

const (
	// codeUnwritable is of outputs that cannot be written.
	codeUnwritable = "T2010"
	// codeOfStream is of a folder that a stream writes to.
	codeOfStream = "T2015"
)

// outputFolder is the folder of one output, by its key in the spec.
type outputFolder struct{ key, path string }

func outputFolders(o *spec.Outputs) (out []outputFolder) {
	for _, f := range []outputFolder{
		{"samples", samplesPath(o)}, {"late", o.Late}, {"dead_letters", o.DeadLetters}, {"orphans", o.Orphans}, {"accounts", o.Accounts},
	} {
		if f.path != "" {
			out = append(out, f)
		}
	}
	return out
}

// checkOutputs finds outputs that cannot be written before any input is read.
func checkOutputs(ctx context.Context, s *spec.Spec) error {
	var problems problem.List
	for _, out := range outputFolders(&s.Outputs) {
		if err := fileio.Writable(ctx, out.path); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			problems = append(problems, unwritable(s, out.key, out.path, err))
		}
	}
	if folder := s.Outputs.SamplesFolder(); folder != nil && len(problems) == 0 {
		jobs, err := streamsOf(ctx, folder.Path)
		if err != nil {
			return err
		}
		if len(jobs) > 0 {
			found := s.Problem(codeOfStream, fmt.Sprintf("a stream writes its samples to %s (%s), and a join would put other files in their place", folder.Path, strings.Join(jobs, ", ")), "outputs", "samples")
			found.Hint = "name another folder; if the stream is gone for good, remove _tributary in this one"
			problems = append(problems, found)
		}
	}
	return asError(problems)
}

// streamsOf are the streams that write to the folder of the samples, or to folders of stages in it, whichever stages this join has:
// it removes files of all of them.
func streamsOf(ctx context.Context, folder string) (jobs []string, err error) {
	for _, below := range []string{"", stageFolders} {
		some, err := folderio.Jobs(ctx, folder, below)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, some...)
	}
	slices.Sort(jobs)
	return slices.Compact(jobs), nil
}

// checkFolders finds dated folders that files are going to be put into, and cannot be.
func (p *plan) checkFolders(ctx context.Context, all []interval) error {
	checked := map[string]bool{}
	for _, s := range all {
		files := outputsOf(p.spec, s)
		folders := []outputFolder{{"late", files.Late}, {"dead_letters", files.Dead}, {"orphans", files.Orphans}, {"accounts", files.Accounts}}
		for _, samples := range files.Samples {
			folders = append(folders, outputFolder{samplesKey, samples.Path})
		}
		for _, out := range folders {
			folder := out.path[:strings.LastIndexByte(out.path, '/')+1]
			// In a bucket, folders are but names: what holds for one holds for all.
			if checked[folder] || strings.Contains(folder, "://") || folder == "" {
				continue
			}
			checked[folder] = true
			if err := fileio.Writable(ctx, folder); err != nil {
				return problem.List{unwritable(p.spec, out.key, folder, err)}
			}
		}
	}
	return nil
}

func unwritable(s *spec.Spec, key, path string, err error) problem.Problem {
	message := err.Error()
	if !strings.Contains(message, strings.TrimSuffix(path, "/")) {
		message = path + ": " + message
	}
	found := s.Problem(codeUnwritable, message, "outputs", key)
	found.Hint = "make it writable, or write to another folder"
	if strings.HasPrefix(path, filepath.Join(os.TempDir(), pipesFolder)) {
		found.Hint = "samples wait there before they go to stdout; TMPDIR names another folder for temporary files"
	}
	return found
}

// outputError is a failure to write an output, while a pipeline runs.
type outputError struct {
	key, path string
	err       error
}

func (e *outputError) Error() string { return e.err.Error() }

func (e *outputError) Unwrap() error { return e.err }

// failures keeps what DoFns fail with: Beam keeps no more of it than the text. It works as the
// direct runner does, in this process.
type failures struct {
	mu    sync.Mutex
	first *outputError
}

type failuresKey struct{}

// failed notes that an output could not be written, and returns the error for the runner.
func failed(ctx context.Context, key, path string, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	e := &outputError{key: key, path: path, err: err}
	if noted, ok := ctx.Value(failuresKey{}).(*failures); ok {
		noted.mu.Lock()
		defer noted.mu.Unlock()
		if noted.first == nil {
			noted.first = e
		}
	}
	return e
}

// problemOf turns a run's error into a problem of the spec, if it is that of an output.
func (f *failures) problemOf(s *spec.Spec, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil || errors.Is(err, context.Canceled) || f.first == nil {
		return err
	}
	return problem.List{unwritable(s, f.first.key, f.first.path, f.first.err)}
}

// checkInputs refuses files that lie in the folder of an output, by whatever links they were
// come to: the next run would read what this one writes.
func (p *plan) checkInputs(found []fileio.File, source int) (problems problem.List) {
	src := &p.sources[source]
	for _, out := range outputFolders(&p.spec.Outputs) {
		resolved := realFolder(out.path)
		for _, f := range found {
			if !strings.HasPrefix(f.ID, resolved+"/") {
				continue
			}
			told := p.problem("T1405", fmt.Sprintf("%s is in the folder of the output %s: the next run would read what this one writes", f.Path, out.key), src)
			told.Hint = "write " + out.key + " to a folder that no input reaches"
			problems = append(problems, told)
			break
		}
	}
	return problems
}

// realFolder is where a folder is, links followed as far as it is there.
func realFolder(folder string) string {
	if strings.Contains(folder, "://") {
		return strings.TrimSuffix(folder, "/")
	}
	abs, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	below := ""
	for up := abs; ; up = filepath.Dir(up) {
		if resolved, err := filepath.EvalSymlinks(up); err == nil {
			return path.Join(resolved, below)
		}
		if up == filepath.Dir(up) {
			return abs
		}
		below = path.Join(filepath.Base(up), below)
	}
}
