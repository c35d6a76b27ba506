package preview

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/profile"
	"tributary/pipelines/report/show"
	"tributary/transforms/account"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// look is a look at one source.
type look struct {
	found  *batch.Inspection
	source int
	input  Input

	bySchema map[uint64]*seen
	refused  account.Views // its reasons
	min, max int64         // event times; NoTime for none
}

// seen is what was found in the files of one schema.
type seen struct {
	schema  *avro.Schema // nil for text
	asJSON  *avro.JSONWriter
	profile *profile.Profile
	scanner *decode.Scanner
	judge   *attribution.Inspector
	files   []string
}

// valuesShown is how many different values of a field may be, for a person to look them through.
const valuesShown = 12

func newLook(found *batch.Inspection, source int, opt Options) *look {
	src := &found.Sources[source]
	in := &found.Params.Inputs[source]
	return &look{
		found: found, source: source, bySchema: map[uint64]*seen{}, min: record.NoTime, max: record.NoTime,
		input: Input{
			Input: strings.Join(src.At, ".") + ".inputs." + strconv.Itoa(src.Number), Path: src.Path, Format: src.Format,
			Records: opt.Records, Whole: true, where: in.Where, time: in.Time.Path,
		},
	}
}

// file looks at one file. What is wrong with it is noted; the error is the context's.
func (l *look) file(ctx context.Context, f batch.InspectedFile) error {
	l.input.Files++
	l.input.Bytes += f.Size
	s, err := l.of(f)
	if err != nil {
		l.fail(err)
		return nil
	}
	s.files = append(s.files, f.Path)
	clock := record.NoClock // the file's own so far
	whole, err := l.found.Read(ctx, f, l.source, l.input.Records, func(b record.Batch, damages []batch.Damage) error {
		for _, d := range damages {
			l.input.Unreadable += d.Count
			if d.AtLeast {
				l.input.Damages = append(l.input.Damages, fmt.Sprintf("%s: %v", f.Path, d.Err))
			}
			if d.Count == 0 {
				continue
			}
			l.refuse(f.Path, d.Index, d.Count, d.Err.Error())
		}
		b.MaxTime, b.SecondTime = clock.Largest, clock.Second
		if s.scanner != nil {
			s.scanner.Scan(b, func(r decode.Scanned) {
				clock.Add(r.Time)
				l.bound(r.Time)
			})
		}
		s.show(b, &l.input)
		return s.judge.Add(b)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		l.fail(err)
	}
	l.input.Whole = l.input.Whole && whole && err == nil
	return nil
}

func (l *look) fail(err error) {
	l.input.Whole = false
	l.input.Errors = append(l.input.Errors, err.Error())
}

// of returns what was seen in files with the schema of f so far.
func (l *look) of(f batch.InspectedFile) (*seen, error) {
	if s := l.bySchema[f.Schema]; s != nil {
		return s, nil
	}
	p := l.found.Params
	s := &seen{profile: profile.New(valuesShown)}
	if f.Schema != 0 {
		var err error
		if s.schema, err = avro.ParseSchema(p.Schemas[f.Schema]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if s.asJSON, err = avro.NewJSON(s.schema); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if p.ViewSchema == "" { // other files do not go with it, which is a problem of theirs
			if views, err := decode.EventSchema(&p.Inputs[l.source], s.schema); err == nil {
				p.ViewSchema = views.String()
			}
		}
	}
	// Without a sound time field there are no times, and the judge says so of each record.
	if scanner, err := decode.NewScanner(&p, l.source, f.Schema); err == nil {
		s.scanner = scanner
	}
	s.judge = attribution.NewInspector(p, func(r record.Rejected) {
		if r.Reason != record.ReasonPartlyLate {
			l.refuse(s.files[len(s.files)-1], r.Offset, r.Count, r.Detail)
		}
	})
	l.bySchema[f.Schema] = s
	return s, nil
}

func (l *look) refuse(path string, index, count int64, why string) {
	// In quotes, so that reasons do not differ by where they were found.
	l.refused.AddReason(fmt.Sprintf("%s (record %d of %q)", why, index+1, path), count)
}

func (l *look) bound(t int64) {
	if t == record.NoTime {
		return
	}
	if l.min == record.NoTime || t < l.min {
		l.min = t
	}
	l.max = max(l.max, t)
}

// show adds the records of a batch to the profile, and keeps the very first.
func (s *seen) show(b record.Batch, in *Input) {
	rest := b.Records
	var text []byte
	for range b.Count {
		rec := rest
		var err error
		if b.Framed {
			if _, rec, rest, err = record.NextFramed(rest); err != nil {
				return
			}
		}
		if s.asJSON != nil {
			var n int
			if text, n, err = s.asJSON.Append(text[:0], rec); err != nil && !b.Framed {
				return // where the next one begins is not known
			}
			if !b.Framed {
				rest = rest[n:]
			}
			rec = text
		}
		if err != nil {
			continue
		}
		if in.Record == nil && gjson.ValidBytes(rec) {
			in.Record = json.RawMessage(show.HarmlessJSON(string(rec)))
		}
		s.profile.Add(rec)
	}
}

// result is what was found.
func (l *look) result() Input {
	in := &l.input
	in.Read, in.Dead = in.Unreadable, in.Unreadable
	for _, s := range slices.SortedFunc(maps.Values(l.bySchema), func(a, b *seen) int { return cmp.Compare(a.files[0], b.files[0]) }) {
		sheet := s.judge.Account()
		n := &sheet.Views.N
		if kind := l.found.Params.Inputs[l.source].Kind; kind != rules.Views {
			n = &sheet.Engagements[l.found.Params.Kinds[kind].Name].N
		}
		in.Read += n[account.Read] + n[account.Filtered]
		in.Matching += n[account.Read]
		in.Late += n[account.Late]
		in.Dead += n[account.Dead]
		in.Schemas = append(in.Schemas, s.fields())
	}
	for _, c := range in.where {
		in.Where = append(in.Where, l.condition(c))
	}
	if l.max != record.NoTime {
		from, to := time.UnixMilli(l.min).UTC(), time.UnixMilli(l.max).UTC()
		in.From, in.To = &from, &to
	}
	for _, r := range l.refused.Reasons {
		in.Reasons = append(in.Reasons, Reason{r.Count, r.Example})
	}
	slices.SortFunc(in.Reasons, func(a, b Reason) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Example, b.Example))
	})
	return *in
}

// condition tells which values the field of a condition has.
func (l *look) condition(c expression.Condition) Condition {
	out := Condition{Field: c.Field, Value: c.Value}
	values := map[string]int64{}
	for _, s := range l.bySchema {
		f := s.profile.Field(c.Field)
		if f == nil {
			continue
		}
		if f.Values == nil {
			return out
		}
		for text, n := range f.Values {
			values[text] += n
		}
	}
	out.Values = slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		return cmp.Or(-cmp.Compare(values[a], values[b]), cmp.Compare(a, b))
	})
	return out
}

func (s *seen) fields() Schema {
	out := Schema{Files: len(s.files), File: s.files[0], Records: s.profile.Records}
	filled := func(path string) int64 {
		if f := s.profile.Field(path); f != nil {
			return f.Filled
		}
		return 0
	}
	if s.schema != nil {
		for _, f := range profile.OfSchema(s.schema) {
			out.Fields = append(out.Fields, Field{f.Path, f.Type, filled(f.Path)})
		}
		return out
	}
	for _, f := range s.profile.Fields {
		out.Fields = append(out.Fields, Field{f.Path, f.Type(), f.Filled})
	}
	return out
}
