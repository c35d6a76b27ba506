package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"tributary/io/fileio"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// fingerprinted is an interval that is to be joined.
type fingerprinted struct {
	interval
	fingerprint string
}

// unfinished returns the intervals that are to be joined; those that are done already are
// added to the total. The accounts of the former are removed: from now on their files
// may be of this run or of the one before.
func (r *runner) unfinished(ctx context.Context, all []interval) ([]fingerprinted, error) {
	var todo []fingerprinted
	if err := r.plan.topic.readCommits(ctx); err != nil {
		return nil, err
	}
	for _, s := range all {
		f := fingerprinted{interval: s, fingerprint: r.plan.fingerprint(s)}
		files := r.plan.outputsOf(s)
		done, path, err := files.accounts(ctx)
		if err != nil {
			return nil, err
		}
		if done != nil && done.Fingerprint == f.fingerprint && !r.options.Again {
			there, err := files.complete(ctx, done)
			if err != nil {
				return nil, err
			}
			if there && r.plan.topic.holds(s, done) {
				r.add(done)
				continue
			}
		}
		if done != nil {
			if err := fileio.Remove(ctx, path); err != nil {
				return nil, err
			}
		}
		todo = append(todo, f)
	}
	return todo, nil
}

// accounts returns the accounts of an interval, by whatever release, and where they are; nil for none.
func (o *outputs) accounts(ctx context.Context) (done *account.Sheet, path string, err error) {
	for _, path := range []string{o.Accounts, o.Earlier} {
		if done, err = readAccounts(ctx, path); err != nil || done != nil {
			return done, path, err
		}
	}
	return nil, "", nil
}

// readAccounts returns nil if there are none, or such as cannot be read: of another
// version, or damaged. Such an interval is not known to be finished.
func readAccounts(ctx context.Context, path string) (*account.Sheet, error) {
	content, err := fileio.ReadFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := account.Decode(content)
	if err != nil {
		return &account.Sheet{}, nil //nolint:nilerr // an empty one has the fingerprint of no interval
	}
	return l, nil
}

// rejectedIn counts the records that accounts say were written to each output; a damage of
// which nothing more is known is there as one, too.
func rejectedIn(l *account.Sheet) (late, dead, orphans int64) {
	late, dead = l.Views.N[account.Late], l.Views.N[account.Dead]+l.Views.N[account.Damages]
	for _, e := range l.Engagements {
		late, dead, orphans = late+e.N[account.Late]+e.N[account.PartlyLate], dead+e.N[account.Dead]+e.N[account.Damages], orphans+e.N[account.Orphans]
	}
	return late, dead, orphans
}

// countedFile is an output file with how many records it stands for: it is there if there
// are any.
type countedFile struct {
	key, path string
	records   int64
}

// counted lists the files beside the accounts.
func (o *outputs) counted(l *account.Sheet) []countedFile {
	late, dead, orphans := rejectedIn(l)
	files := []countedFile{{"late", o.Late, late}, {"dead_letters", o.Dead, dead}, {"orphans", o.Orphans, orphans}}
	for _, s := range o.Samples {
		files = append(files, countedFile{s.Key, s.Path, s.records(l)})
	}
	return slices.DeleteFunc(files, func(f countedFile) bool { return f.path == "" }) // a topic, or only counted
}

// writes counts the changes of what a join writes: an interval that is made by an older one is
// joined again.
const writes = 2

// meaning is the part of a fingerprint that the spec gives. Its names are those that the first release
// wrote: with others, all that it finished would be joined again.
type meaning struct {
	Format  int
	Params  rules.Params
	Outputs struct {
		Samples                            spec.Output
		Late, DeadLetters, Orphans, Ledger string
		Topics                             struct{ Late, DeadLetters, Orphans, Ledger, Marks, Accounts string }
		MoreSamples                        []spec.Output `json:",omitempty"`
	}
	First bool
}

func meaningOf(params rules.Params, o *spec.Outputs, first bool) *meaning {
	m := meaning{Format: writes, Params: params, First: first}
	out, topics := &m.Outputs, &m.Outputs.Topics
	out.Samples, out.MoreSamples = withoutDefaults(o.Samples), slices.Clone(o.MoreSamples)
	for i := range out.MoreSamples {
		out.MoreSamples[i] = withoutDefaults(out.MoreSamples[i])
	}
	out.Late, out.DeadLetters, out.Orphans, out.Ledger = o.Late, o.DeadLetters, o.Orphans, o.Accounts
	topics.Late, topics.DeadLetters, topics.Orphans = o.Topics.Late, o.Topics.DeadLetters, o.Topics.Orphans
	topics.Ledger, topics.Marks, topics.Accounts = o.Topics.CommitLog, o.Topics.TimeIndex, o.Topics.Accounts
	return &m
}

// withoutDefaults leaves out what is as it always was before there was a key for it.
func withoutDefaults(o spec.Output) spec.Output {
	if o.Folders == spec.FolderOfDay {
		o.Folders = ""
	}
	return o
}

// fingerprint stands for all that an interval's outputs follow from: the spec's meaning, the
// files that are read for it, and the times reached in their partitions before. What
// changes no output is left out: shards, and the end of a log that lies beyond the interval.
func (p *plan) fingerprint(s interval) string {
	params := p.intervalParams(s)
	params.Shards = 0
	sum := sha256.New()
	add := json.NewEncoder(sum)
	err := add.Encode(meaningOf(params, p.asked, s.first))
	if err != nil {
		panic(fmt.Errorf("join: fingerprint: %w", err)) // plain structs of plain values
	}
	last := file{}
	for _, piece := range p.pieces(s) {
		if piece.File != last {
			last = piece.File
			// %q keeps names apart that are not UTF-8, which JSON would not. The content
			// stands for the version, too: a file may be copied, and its time with it or not.
			fmt.Fprintf(sum, "%q %016x %d %d\n", last.Path, last.Content, last.Size, last.Schema)
			if last.Delimiter != "" {
				fmt.Fprintf(sum, "delimiter %s\n", last.Delimiter)
			}
		}
		for _, r := range piece.Reads {
			if piece.File.Range != nil {
				fmt.Fprintf(sum, "%d %d %d %d\n", r.Place.Offset, r.End, r.Clock.Largest, r.Clock.Second)
			}
			for _, t := range r.Takes {
				for _, part := range t.Parts {
					if part.Before != record.NoClock {
						fmt.Fprintf(sum, "%d %d %q %d\n", r.Place.Offset, t.Input, part.Key, part.Before)
					}
				}
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
