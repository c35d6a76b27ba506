package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// clearOverlaps removes the files that an earlier run wrote for the times that are joined
// now and that this one will not replace, because it cuts intervals otherwise, writes another
// format or finds nothing there any more: or else samples would be there twice. What lies
// before the first interval and after the last stays, unless it was asked for; it is returned as
// stale if all of that time was to be joined.
//
// A file that reaches beyond the times asked for is a problem: the rest of it would be lost.
func (p *plan) clearOverlaps(ctx context.Context, all, units []interval, opt Options) (stale []staleFile, err error) {
	current := map[string]bool{}
	for _, s := range all {
		for _, samples := range outputsOf(p.spec, s).Samples {
			current[samples.Path] = true
		}
	}
	for _, s := range units {
		o := outputsOf(p.spec, s)
		for _, path := range []string{o.Late, o.Dead, o.Orphans, o.Accounts, o.Earlier} {
			current[path] = true
		}
	}
	joined := interval{from: all[0].from, to: all[len(all)-1].to}
	if !opt.From.IsZero() {
		joined.from = msOf(opt.From)
	}
	if !opt.To.IsZero() {
		joined.to = msOf(opt.To)
	}
	out := &p.spec.Outputs
	var old []string
	var problems problem.List
	// Accounts first: an interval without them is not finished, whatever else is left of it.
	for _, kind := range []struct{ root, prefix, key string }{
		{pattern(out.Accounts, ""), accountsKind + "-", "accounts"},
		{pattern(out.Accounts, ""), earlierKind + "-", "accounts"},
		{pattern(samplesPath(out), ""), "part-", "samples"},
		{pattern(samplesPath(out), "/"+stageFolders), "part-", "samples"},
		{pattern(out.Late, ""), "late-", "late"},
		{pattern(out.DeadLetters, ""), "dead-", "dead_letters"},
		{pattern(out.Orphans, ""), "orphans-", "orphans"},
	} {
		if kind.root == "" {
			continue
		}
		files, err := fileio.List(ctx, kind.root+"/dt=*/**/"+kind.prefix+"*")
		if none := (*fileio.NoMatchError)(nil); err != nil && !errors.As(err, &none) {
			return nil, fmt.Errorf("look for files of an earlier run: %w", err)
		}
		for _, f := range files {
			s, ok := intervalOf(f.Path, kind.prefix)
			if !ok || current[f.Path] {
				continue
			}
			if s.to <= joined.from || s.from >= joined.to {
				if (opt.From.IsZero() || s.from >= joined.from) && (opt.To.IsZero() || s.to <= joined.to) {
					stale = append(stale, staleFile{path: f.Path, interval: s})
				}
				continue
			}
			if !opt.From.IsZero() && s.from < joined.from || !opt.To.IsZero() && s.to > joined.to {
				found := p.spec.Problem(codeCutOtherwise, f.Path+" is of an earlier run with other intervals: it would have to be replaced, and reaches beyond the times to be joined", "outputs", kind.key)
				found.Hint = fmt.Sprintf("join all of %s to %s, or write to other folders", timeOf(s.from).Format(time.RFC3339), timeOf(s.to).Format(time.RFC3339))
				problems = append(problems, found)
				break // one of each output says it
			}
			old = append(old, f.Path)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return stale, removeAll(ctx, old)
}

// stageFolders matches those of stages in a folder of samples, see job.StagePath.
const stageFolders = spec.StageFolder + "*"

// pattern matches folders below one, or that one itself; it is empty if there is none.
func pattern(folder, below string) string {
	if folder == "" {
		return ""
	}
	return fileio.Escape(strings.TrimSuffix(folder, "/")) + below
}

// staleFile is of an earlier run, and of a time that nothing is known of any more.
type staleFile struct {
	path string
	interval
}

// prune removes stale files if that is asked for, and says what there was. Where the inputs
// have no time at all nothing is removed: then it is they that are wrong.
func (p *plan) prune(ctx context.Context, stale []staleFile, asked bool) (found report.Stale, err error) {
	if len(stale) == 0 {
		return found, nil
	}
	found.From, found.To = timeOf(stale[0].from), timeOf(stale[0].to)
	paths := make([]string, len(stale))
	for i, f := range stale {
		paths[i] = f.path
		if t := timeOf(f.from); t.Before(found.From) {
			found.From = t
		}
		if t := timeOf(f.to); t.After(found.To) {
			found.To = t
		}
	}
	found.Files, found.Example = int64(len(paths)), paths[0]
	for _, path := range paths { // a sample rather than accounts
		if samples := p.spec.Outputs.SamplesFolder(); samples != nil && strings.HasPrefix(path, samples.Path) {
			found.Example = path
			break
		}
	}
	if asked && len(p.minutes) > 0 {
		found.Removed = true
		err = removeAll(ctx, paths)
	}
	return found, err
}

func removeAll(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if err := fileio.Remove(ctx, path); err != nil {
			return fmt.Errorf("remove a file of an earlier run: %w", err)
		}
	}
	return nil
}

// intervalOf reads the times in the name of an output file.
func intervalOf(path, prefix string) (s interval, ok bool) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	name, ok = strings.CutPrefix(name, prefix)
	from, rest, cut := strings.Cut(name, "-")
	to, _, ended := strings.Cut(rest, "Z")
	if !ok || !cut || !ended {
		return interval{}, false
	}
	begin, err := time.Parse(folderio.Stamp, from)
	end, endErr := time.Parse(folderio.Stamp, to+"Z")
	return interval{from: msOf(begin), to: msOf(end)}, err == nil && endErr == nil
}
