package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"tributary/io/fileio"
	"tributary/io/packed"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// codeNoPipe is of stdin and stdout where there is none.
const codeNoPipe = "T1428"

// stdinPath is what records, messages and accounts call stdin: no file that is read can have that path.
const stdinPath = "/dev/stdin"

// pipesFolder begins the name of the folder in which stdin and what goes to stdout are, in that for temporary files.
const pipesFolder = "tributary-pipes-"

// pipes are stdin as a file, since a join reads its inputs more than once, and the samples that wait for all to succeed before
// they go to stdout. They are in a folder that goes with the run; nil for a spec without either.
type pipes struct {
	folder string
	stdin  *stdinFile
}

// stdinFile is stdin as a listing has it, and where its bytes are.
type stdinFile struct {
	fileio.File
	copied string
}

// openPipes makes the folder, and returns the spec with a folder of samples in it where they go to stdout.
func openPipes(s *spec.Spec, opt *Options) (*pipes, *spec.Spec, error) {
	here := opt.Runner == nil
	if problems := NoPipes(s, here && opt.Stdin != nil, here && opt.Stdout != nil); len(problems) > 0 {
		return nil, nil, problems
	}
	if !s.ReadsStdin() && !s.WritesStdout() {
		return nil, s, nil
	}
	p, err := newPipes()
	if err != nil {
		return nil, nil, err
	}
	inside := *s
	if s.WritesStdout() {
		inside.Outputs.Samples.Path = filepath.Join(p.folder, "samples")
	}
	return p, &inside, nil
}

func newPipes() (*pipes, error) {
	folder, err := os.MkdirTemp("", pipesFolder)
	if err != nil {
		return nil, fmt.Errorf("a folder for stdin and stdout: %w", err)
	}
	return &pipes{folder: folder}, nil
}

// NoPipes are a spec's uses of stdin and stdout, as problems of who has none.
func NoPipes(s *spec.Spec, stdin, stdout bool) (problems problem.List) {
	_, sources := job.Of(s)
	for i := range sources {
		if sources[i].IsStdin() && !stdin {
			problems = append(problems, sources[i].Problem(s, codeNoPipe, errNoStdin.Error()))
		}
	}
	if s.WritesStdout() && !stdout {
		problems = append(problems, s.Problem(codeNoPipe, "there is no stdout here: a join in the process of the command has one, a stream and a job on Flink have none", "outputs", "samples"))
	}
	for i := range problems {
		problems[i].Hint = noPipeHint
	}
	problems.Sort()
	return problems
}

// noPipeHint says what to do where there is no stdin or stdout.
const noPipeHint = "name files and folders, or use `tributary join` on the direct runner"

// nameOf is what names of partitions and messages call the files of an input.
func nameOf(src *job.Source) string {
	if src.IsStdin() {
		return stdinPath
	}
	return src.Path
}

// remove removes the folder.
func (p *pipes) remove() error {
	if p == nil {
		return nil
	}
	return os.RemoveAll(p.folder)
}

// readStdin copies stdin to a file, if the spec reads it. The copy is as large as what comes in.
func (p *pipes) readStdin(ctx context.Context, s *spec.Spec, stdin io.Reader, progress func(Progress)) error {
	in := s.Stdin()
	if in == nil {
		return nil
	}
	var done atomic.Int64
	total := int64(0)
	if f, ok := stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			total = info.Size()
		}
	}
	text := (&file{Format: in.Format}).reads().Text()
	tell := func() { progress(Progress{Stage: "stdin", Done: done.Load(), Total: total}) }
	return await(ctx, tell, func() (err error) {
		p.stdin, err = copyStdin(p.folder, &reading{ctx, stdin, &done}, text)
		return err
	})
}

// copyStdin copies from to a file in the folder. The ending of its name tells how text is compressed, by its first bytes.
func copyStdin(folder string, from io.Reader, text bool) (_ *stdinFile, err error) {
	buffered := bufio.NewReaderSize(from, 1<<20)
	copied := filepath.Join(folder, "stdin")
	start, err := buffered.Peek(packed.MarkBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read stdin: %w", err)
	}
	if text {
		copied += packed.Ending(start)
	}
	to, err := os.Create(copied)
	if err != nil {
		return nil, fmt.Errorf("copy stdin: %w", err)
	}
	size, err := buffered.WriteTo(to)
	if err = errors.Join(err, to.Close()); err != nil {
		return nil, fmt.Errorf("copy stdin to %s, which TMPDIR moves: %w", copied, err)
	}
	return &stdinFile{fileio.File{Path: stdinPath, ID: stdinPath, Size: size, Version: copied}, copied}, nil
}

// reading counts what is read, until the run ends.
type reading struct {
	ctx  context.Context //nolint:containedctx // of the run whose stdin it is
	r    io.Reader
	done *atomic.Int64
}

func (c *reading) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.done.Add(int64(n))
	return n, err
}

// await does some work, and tells now and then how far it is. It does not wait for work that a pipe keeps waiting when the run ends:
// that comes to nothing.
func await(ctx context.Context, tell func(), work func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			tell()
		}
	}
}

// writeStdout puts the samples of all intervals together, as one file, and writes that to stdout: not before it is whole. It returns
// how many bytes that were.
func (p *pipes) writeStdout(ctx context.Context, plan *plan, asked *spec.Outputs, want int64, opt *Options) (size int64, err error) {
	file, err := os.Create(filepath.Join(p.folder, "stdout"))
	if err != nil {
		return 0, fmt.Errorf("put the samples together: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	records := int64(0)
	buffered := bufio.NewWriterSize(file, 1<<20)
	samples, err := plan.sampleFormat(&asked.Samples).Begin(buffered)
	if err != nil {
		return 0, fmt.Errorf("write samples: %w", err)
	}
	for _, s := range plan.all {
		for _, part := range outputsOf(plan.spec, s).Samples {
			n, err := spooled(ctx, part.Path, samples)
			if err != nil {
				return 0, fmt.Errorf("put the samples together: %w", err)
			}
			records += n
		}
	}
	if records != want {
		return 0, fmt.Errorf("put the samples together: there are %d, and %d by the accounts: this is a fault of the join", records, want)
	}
	if err := errors.Join(samples.Close(), buffered.Flush()); err != nil {
		return 0, fmt.Errorf("put the samples together: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("put the samples together: %w", err)
	}
	err = await(ctx, func() {}, func() (err error) {
		size, err = io.CopyBuffer(writerOnly{opt.Stdout}, file, make([]byte, 1<<20))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("write samples to stdout: %w", err)
	}
	return size, nil
}

// writerOnly has a writer take what is read before it, rather than read by itself.
type writerOnly struct{ io.Writer }
