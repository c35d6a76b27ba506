// Package draft writes a first spec for files that nobody has described: it looks at their
// records and guesses which are views and which engagements, by which fields they belong
// together, and what their times are. What it guessed is in the comments of the spec.
//
//	draft.go       Make; read.go: records of files
//	files.go       files that are one input; delimiter.go: of tables
//	guess.go       which are the views, and by which field, several.go: or fields; key.go: or what both are about; words.go: what things are called
//	kinds.go       kinds of engagements; onelog.go: and of views, in a log of all events
//	time.go        event times, timepattern.go: how text has them; measure.go: what they tell of windows and order, timezone.go: and of zones
//	write.go       the spec
package draft

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/pipelines/job/preview"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// Options are the choices of a draft.
type Options struct {
	// File is what the spec is to be: paths are written for its folder.
	File string
	// Records is how many records of each file are looked at.
	Records int
}

// Draft is a first spec.
type Draft struct {
	Text []byte
	// Open are the keys of the spec that nothing could be guessed for; their values begin with
	// Blank.
	Open []string
	// Problems would keep a join of the spec from running.
	Problems problem.List
}

// Blank stands in a draft where a person has to fill something in.
const Blank = "FILL_IN"

// Make looks at the files that the patterns name and drafts a spec of them. It reads no
// more than the first files of each set of files that are alike, and writes nothing.
func Make(ctx context.Context, patterns []string, opt Options) (*Draft, error) {
	files, err := fileio.List(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	groups, err := groupFiles(ctx, files, opt.Records)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.time, err = guessTime(ctx, g, opt.Records); err != nil {
			return nil, err
		}
	}
	j, err := join(ctx, groups, opt.Records)
	if err != nil {
		return nil, err
	}
	if err := j.findSeveral(ctx, opt.Records); err != nil {
		return nil, err
	}
	if err := j.findKey(ctx, opt.Records); err != nil {
		return nil, err
	}
	for i := range j.engagements {
		j.engagements[i].name()
	}
	if err := j.measure(ctx, opt.Records); err != nil {
		return nil, err
	}
	if j.findZones() {
		if err := j.measure(ctx, opt.Records); err != nil {
			return nil, err
		}
	}
	w := writer{join: j, opt: opt, folder: filepath.Dir(opt.File), used: map[string]bool{}}
	text, err := w.write(ctx, len(files))
	if err != nil {
		return nil, err
	}
	d := &Draft{Text: text, Open: w.open}
	// What has a blank is not whole, but must be sound all the same.
	s, err := spec.Parse(opt.File, text)
	switch {
	case errors.As(err, &d.Problems):
	case err != nil:
		return nil, err
	case len(d.Open) == 0:
		if _, d.Problems, err = preview.Check(ctx, s, preview.Options{Records: 1}); err != nil {
			return nil, err
		}
	}
	d.Problems = d.Problems.Errors()
	return d, nil
}

// join takes the groups for views and engagements, and a single one for a log of both.
func join(ctx context.Context, groups []*group, records int) (*joined, error) {
	if len(groups) > 1 {
		return guessJoin(groups), nil
	}
	views, rest, err := groups[0].split(ctx, records)
	if err != nil {
		return nil, err
	}
	if views == nil {
		return nil, fmt.Errorf("the files are all alike (%s): name the files of the views and those of the engagements. "+
			"One log of both needs a column of kinds, like event or type, with values that are called like views and like engagements", fieldNames(groups[0]))
	}
	return ofOneLog(views, rest), nil
}

func fieldNames(g *group) string {
	var names []string
	for _, f := range g.profile.Fields {
		names = append(names, f.Path)
	}
	const most = 12
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "...")
	}
	return strings.Join(names, ", ")
}

// errEnough ends a reading.
var errEnough = errors.New("enough")
