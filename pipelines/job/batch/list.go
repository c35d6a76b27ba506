package batch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// Folders says whether the names of dated folders (dt=2026-01-02) are believed.
type Folders struct {
	// Trust leaves files unread whose folder says that nothing in it matters for the times
	// asked for. The records are what counts: where a folder is wrong, so are the labels.
	Trust bool
	// Slack is how far from its folder's time a record may be: folders are named by when
	// events arrived, often, not when they happened.
	Slack time.Duration
}

// list finds the files of every source. A file that several patterns of one role match
// is taken once; one that several roles match is read once for all of them, unless they
// want it read differently.
func (p *plan) list(ctx context.Context, opt planOptions) error {
	var problems problem.List
	type reading struct {
		path   string
		format spec.Format
		schema string // what text is converted to

		delimiter format.Delimiter
	}
	readings := map[reading]*scannedFile{}
	taken := map[[2]string]bool{}
	unread := map[string]fileio.File{}
	empty := map[string]bool{}
	for i := range p.sources {
		src := &p.sources[i]
		if src.Topic != "" {
			continue // see planTopics
		}
		found, copied, err := p.find(ctx, src, opt.pipes)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			problems = append(problems, p.listProblems(err, src)...)
			continue
		}
		problems = append(problems, p.checkInputs(found.Files, i)...)
		for _, folder := range found.Empty {
			empty[folder] = true
		}
		for _, f := range found.Files {
			if taken[[2]string{src.Role, f.ID}] {
				continue
			}
			taken[[2]string{src.Role, f.ID}] = true
			if p.leftOut(src, f.Path, opt) {
				unread[f.ID] = f
				continue
			}
			read := file{Path: f.Path, Size: f.Size, Version: f.Version, Format: src.Format, Delimiter: src.Delimiter, Copied: copied}
			as := reading{path: f.Path, format: src.Format, delimiter: src.Delimiter}
			if read.reads().Text() {
				as.schema = src.Schema
			}
			known := readings[as]
			if known == nil {
				known = &scannedFile{file: read}
				readings[as] = known
				p.files = append(p.files, known)
			}
			known.roles = append(known.roles, role{source: i})
		}
	}
	for _, f := range unread {
		p.unread.Files++
		p.unread.Bytes += f.Size
	}
	for folder := range empty {
		p.empty = append(p.empty, folder)
	}
	slices.Sort(p.empty)
	// Stable, for files that are read in several ways: the order of roles.
	slices.SortStableFunc(p.files, func(a, b *scannedFile) int { return cmp.Compare(a.Path, b.Path) })
	problems.Sort()
	return asError(problems)
}

// errNoStdin says that stdin is not read here.
var errNoStdin = errors.New("there is no stdin here: a join in the process of the command has one, a stream and a job on Flink have none")

// find finds the files of a source. Stdin is one, and copied is where its bytes are.
func (p *plan) find(ctx context.Context, src *job.Source, pipes *pipes) (found fileio.Listing, copied string, err error) {
	switch {
	case !src.IsStdin():
		found, err = fileio.Find(ctx, src.Path)
		return found, "", err
	case pipes == nil || pipes.stdin == nil:
		return found, "", errNoStdin
	}
	return fileio.Listing{Files: []fileio.File{pipes.stdin.File}}, pipes.stdin.copied, nil
}

// listProblems are what keeps the files of a source from being found, one by one.
func (p *plan) listProblems(err error, src *job.Source) (problems problem.List) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, err := range joined.Unwrap() {
			problems = append(problems, p.listProblems(err, src)...)
		}
		return problems
	}
	found := p.problem(codeUnreadable, err.Error(), src)
	if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
		found.Code = codeNoFile
	}
	if errors.Is(err, errNoStdin) {
		found.Code, found.Hint = codeNoPipe, noPipeHint
	}
	if other := (*fileio.NotFileError)(nil); errors.As(err, &other) {
		found.Hint = "remove it, or name the files so that it does not match: nothing is left out without a word"
	}
	return append(problems, found)
}

// leftOut tells whether the file's folder is trusted, and says that nothing in it matters for
// the times asked for. Where records name their partition, what comes before does matter.
func (p *plan) leftOut(src *job.Source, path string, opt planOptions) bool {
	from, to, ok := fileio.Dated(path)
	if !opt.folders.Trust || !ok || src.Order == spec.OrderField {
		return false
	}
	reach := p.params.InputBounds()
	before := time.Duration(max(reach.ViewsBefore, reach.EngagementsBefore))*time.Millisecond + opt.folders.Slack
	after := time.Duration(max(reach.ViewsAfter, reach.EngagementsAfter))*time.Millisecond + opt.folders.Slack
	return !opt.from.IsZero() && to.Before(opt.from.Add(-before)) || !opt.to.IsZero() && from.After(opt.to.Add(after))
}
