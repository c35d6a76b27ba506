package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// CorrectOptions are the choices of FindCorrections.
type CorrectOptions struct {
	Options
	// Late has engagements count that came late: an engagement within the window of a view whose bucket had closed when it was read. Without
	// it what was late stays so, and samples that were corrected with it are left as they are.
	Late bool
	// TakeBack has taken back what the join does not give: samples of views that it does not know, which another job may have written, and
	// labels, which records may have given that are gone. Without it they are left. It does not go with Late.
	TakeBack bool
	// Values has corrections come with the values to write; that registers the schema of the samples if they name theirs.
	Values bool
}

// Correction is a sample that must be written behind those that a topic has, so that of its view the one counts that a join gives.
type Correction struct {
	// Class is Missing, Different or Extra; for the last the correction takes back what is there, with weight 0.
	Class    Class
	ViewID   string
	ViewTime time.Time
	// Version is the one that its header has to say: that of what is there, or 1 if nothing is, and one more.
	Version int64
	Corrected
	Key, Value []byte
}

// Corrections says what was found.
type Corrections struct {
	Topic string `json:"topic"`
	// From and To bound the views that were compared. Closed and Cut are as in StageResult.
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Closed *time.Time `json:"closed_before,omitempty"`
	Cut    bool       `json:"cut,omitempty"`
	// Views have a sample in the topic or the join; of Right ones the sample counts that must. Missing, Different and Extra are as of audits.
	Views     int64 `json:"views"`
	Right     int64 `json:"right"`
	Missing   int64 `json:"missing"`
	Different int64 `json:"different"`
	Extra     int64 `json:"extra"`
	// Losing are those of Different that lose a label, see CorrectOptions.TakeBack.
	Losing int64 `json:"losing,omitempty"`
	// Left is what cannot be corrected, or must not be, by why; none of them is among those above.
	Left Left `json:"left"`
	// Events are the records that the join has read.
	Events int64    `json:"events"`
	Notes  []string `json:"notes,omitempty"`
}

// Left are views of which another sample counts than must, and that are left so.
type Left struct {
	// ForLate were corrected for late engagements, which do not count here.
	ForLate int64 `json:"for_late,omitempty"`
	// Gone may have been let go of with the first records of their partition, TooLarge is not taken by the topic.
	Gone     int64 `json:"gone,omitempty"`
	TooLarge int64 `json:"too_large,omitempty"`
	// Replaced are of an id that a later view has in a compacted topic, which keeps one sample of an id.
	Replaced int64 `json:"replaced,omitempty"`
	// Unknown to the join are those of samples that it does not give: another job may have written them, see CorrectOptions.TakeBack. Deleted
	// are of an id that somebody has deleted from the topic, by a record without a value, or that a compacted topic has none of any more, though
	// every view has a sample. Losing would lose a label.
	Unknown int64 `json:"unknown,omitempty"`
	Deleted int64 `json:"deleted,omitempty"`
	Losing  int64 `json:"losing,omitempty"`
	// Early are there at an early stage only, and the join has no sample of them; Several are of views under several keys that share id and time.
	Early   int64 `json:"early,omitempty"`
	Several int64 `json:"several,omitempty"`
}

// Sum is how many there are.
func (l *Left) Sum() int64 {
	return l.ForLate + l.Gone + l.TooLarge + l.Replaced + l.Unknown + l.Deleted + l.Losing + l.Early + l.Several
}

// codeShared is of late engagements that would have to be shared out again.
const codeShared = "T2016"

// FindCorrections joins a range of complete buckets again, and calls do with what must be written to the topic of samples so that of each view
// the sample with the highest version is the one that the join gives. Nothing is written but to Scratch.
//
// The range is that of buckets which the job has completed while the spec meant what it means now. What the join of today cannot know better
// than what is there stays, see Left; where more than one in a hundred would lose a label by late engagements nothing is corrected at all.
//
// do is called when the topic has been read as it is then: who keeps others from writing corrections to it from before the call on gets none
// that is there already. Memory is that of an audit.
func FindCorrections(ctx context.Context, s *spec.Spec, opt CorrectOptions, do func(*Correction) error) (_ *Corrections, returned error) {
	if err := CheckCorrectable(s, opt.Late); err != nil {
		return nil, err
	}
	if opt.Memory <= 0 {
		opt.Memory = DefaultMemory
	}
	if err := checkInputs(s); err != nil {
		return nil, err
	}
	if err := checkCompacted(ctx, s); err != nil {
		return nil, err
	}
	if err := checkStarts(ctx, s, opt.Options); err != nil {
		return nil, err
	}
	only := *s
	only.Outputs.Samples, only.Outputs.MoreSamples = *s.Outputs.SamplesTopic(), nil
	sinks, finished, err := sinksOf(ctx, &only, opt.Options)
	if err != nil {
		return nil, err
	}
	k := sinks[0]
	as, err := checkMeaning(ctx, &only, sinks)
	if err != nil {
		return nil, err
	}
	if len(k.notes) > 0 {
		return nil, fmt.Errorf("%s: %s; repair it with the spec that has written it", k.name(), k.notes[0])
	}
	of := k.lastAlone()
	if of.from >= of.to {
		return nil, nothingClosed(sinks, opt.Options)
	}
	before, err := of.meantSoSince()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name(), err)
	}
	dir, err := os.MkdirTemp(opt.Scratch, "tributary-repair-")
	if err != nil {
		return nil, fmt.Errorf("a folder for the repair: %w", err)
	}
	defer func() { returned = errors.Join(returned, os.RemoveAll(dir)) }()
	want, err := join(ctx, lastStage(&only), sinks, as, dir, opt.Options, opt.Late)
	if err != nil {
		return nil, err
	}
	if err := checkFiles(&only, sinks, finished, want); err != nil {
		return nil, err
	}
	if err := checkStarts(ctx, s, opt.Options); err != nil { // what was let go of while it was joined
		return nil, err
	}
	f := &correcting{c: newComparison(k, 0, false), late: opt.Late, takeBack: opt.TakeBack, whole: s.Keep >= 1, last: int64(max(1, len(s.Stages)) - 1)}
	f.c.deletions = true
	for _, o := range s.Outputs.SampleSinks() {
		if o.Topic == "" {
			f.c.result.Notes = append(f.c.result.Notes, fmt.Sprintf("folder %s is left as it is: corrections are written to topics", o.Path))
		}
	}
	f.out = &Corrections{Topic: k.output.Topic, From: timeOf(of.from), To: timeOf(of.to), Closed: timeOf(of.closed), Cut: of.cut, Events: want.events}
	if before != "" {
		f.out.Notes = append(f.out.Notes, before)
	}
	if opt.Values {
		topic, err := job.NewSampleTopic(ctx, &only, want.schema, false)
		if err != nil {
			return nil, err
		}
		f.frame = topic.Frame()
	}
	if note := of.mature(want.immature); note != "" {
		f.out.Notes = append(f.out.Notes, note)
	}
	parts, err := newParts(dir+"/parts", 0)
	if err != nil {
		return nil, err
	}
	defer parts.remove()
	if err := want.put(ctx, k, parts, f.c); err != nil {
		return nil, fmt.Errorf("samples of the join: %w", err)
	}
	err = k.readTopic(ctx, &only, want.schema, parts, f.c)
	if err == nil {
		err = k.putRefused(ctx, s, parts, f.c)
	}
	if err == nil && f.late { // what may be refused is counted before anything is done
		if err = parts.look(ctx, opt.Memory, f.part); err == nil {
			err = f.allowed()
		}
	}
	if err == nil {
		f.do = do
		err = parts.each(ctx, opt.Memory, f.part)
	}
	f.out.Notes = append(f.out.Notes, f.c.result.Notes...)
	if n := f.c.result.Stages[0].Unreadable; n > 0 {
		f.out.Notes = append(f.out.Notes, fmt.Sprintf("%d records of the topic are no samples, and are left", n))
	}
	return f.out, err
}

// CheckCorrectable refuses what FindCorrections does not take: what cannot be corrected, or not rightly.
func CheckCorrectable(s *spec.Spec, late bool) error {
	if s.Outputs.SamplesTopic() == nil {
		what := "repair writes corrections to topics, and the samples of the spec go to " + s.Outputs.Samples.Path
		return fmt.Errorf("%s: %s: `tributary join` of the range to another folder makes them again, by the same rules of lateness", s.File, what)
	}
	if s.Stream.Delivery == spec.AtLeastOnce {
		return fmt.Errorf("%s: stream.delivery is %s: such samples have no version, and nothing says which buckets are complete; repair needs %s", s.File, spec.AtLeastOnce, spec.ExactlyOnce)
	}
	if !late {
		return nil
	}
	for _, e := range s.Engagements {
		if e.Credit == spec.CreditAll || e.Credit == "" {
			continue
		}
		p := s.Problem(codeShared, "late engagements of a kind with `credit` cannot be let in: the one that such an engagement goes to may take it from a view whose sample is out or still to come", "engagements", e.Kind, "credit")
		p.Got, p.Hint = string(e.Credit), "repair without --late corrects what differs from the join by the rules of lateness"
		return problem.List{p}
	}
	return nil
}

// lastAlone leaves a sink nothing but the last stage, as lastStage does a spec.
func (k *sink) lastAlone() *stage {
	k.stages = slices.Clone(k.stages[len(k.stages)-1:])
	k.stages[0].number = 0
	return &k.stages[0]
}

// lastStage is a spec whose only stage is the last, of all views: what it says of a view does not depend on those before it.
func lastStage(s *spec.Spec) *spec.Spec {
	if len(s.Stages) == 0 {
		return s
	}
	alone := *s
	alone.Stages = slices.Clone(s.Stages[len(s.Stages)-1:])
	alone.Stages[0].Emit = spec.EmitAll
	return &alone
}

// correcting finds corrections in parts.
type correcting struct {
	c              *comparison
	out            *Corrections
	late, takeBack bool
	// whole: every view has a sample.
	whole bool
	// settled are right since a repair for late engagements has corrected them.
	settled int64
	// examples are views that would lose a label.
	examples []string
	// last is the number of the last stage, frame precedes the values of the topic.
	last  int64
	frame []byte
	// do is nil while it is only counted.
	do func(*Correction) error
}

// mostExamples bounds what an error names, and tolerated is one in how many corrections may be of a view that would lose a label.
const (
	mostExamples = 5
	tolerated    = 100
)

// allowed refuses to go on if late engagements take more labels away than a few. What was counted begins anew.
func (f *correcting) allowed() error {
	n, of := f.out.Left.Losing, f.out.Missing+f.out.Different+f.settled
	if n*tolerated > n+of {
		return fmt.Errorf("of %d samples that are others with late engagements let in %d would lose a label (views %s), and such engagements only bring labels: records that the job has read are gone from the inputs, or were joined by another spec; nothing is corrected",
			n+of, n, strings.Join(f.examples, ", "))
	}
	f.settled = 0
	f.out.Views, f.out.Right, f.out.Missing, f.out.Different, f.out.Extra, f.out.Losing, f.out.Left = 0, 0, 0, 0, 0, 0, Left{}
	return nil
}

// part finds those of one part: all that there are of each id in it.
func (f *correcting) part(entries []entry) error {
	var have, want, beside []*entry
	refused, deleted := map[string]bool{}, map[string][]*entry{}
	for i := range entries {
		e := &entries[i]
		switch e.side {
		case sideWant:
			want = append(want, e)
		case sideDeleted:
			if state := f.c.transactions.of(e); state == committed || state == held {
				deleted[string(e.id)] = append(deleted[string(e.id)], e)
			}
		case sideRefused:
			refused[string(e.id)] = true
		case sideHave, sideBeside:
			if state := f.c.transactions.of(e); state != committed && state != held {
				continue
			}
			if beside = append(beside, e); e.side == sideHave {
				have = append(have, e)
			}
		default: // of other audits
		}
	}
	slices.SortFunc(beside, compareKeys)
	for _, v := range byView(have, want) {
		if err := f.view(v, beside, refused, deleted[string(v.id)]); err != nil {
			return fmt.Errorf("view %s: %w", v.id, err)
		}
	}
	return nil
}

// view finds what must be written of a view.
func (f *correcting) view(v *ofView, beside []*entry, refused map[string]bool, deleted []*entry) error {
	f.out.Views++
	if v.want == nil && v.have.weight == 0 {
		f.out.Right++
		return nil
	}
	changes, err := v.changes(f.c.schemas)
	if err != nil {
		return err
	}
	if v.want != nil && v.have != nil && len(changes) == 0 {
		if f.out.Right++; v.have.corrected == correctedForLate {
			f.settled++
		}
		return nil
	}
	left := &f.out.Left
	switch {
	case v.wants > 1:
		left.Several++
		return nil
	case slices.ContainsFunc(deleted, func(d *entry) bool {
		return v.have == nil || v.have.partition != d.partition || v.have.offset < d.offset
	}),
		v.have == nil && f.c.compacted && f.whole && !replaced(beside, v) && !f.gone(v) && !refused[string(v.id)]:
		left.Deleted++
		return nil
	case v.have != nil && v.have.corrected == correctedForLate && !f.late:
		left.ForLate++
		return nil
	case f.c.compacted && replaced(beside, v):
		left.Replaced++
		return nil
	case v.have == nil && f.gone(v):
		left.Gone++
		return nil
	case v.have == nil && refused[string(v.id)]:
		left.TooLarge++
		return nil
	}
	one := &Correction{ViewID: string(v.id), ViewTime: time.UnixMilli(v.time).UTC(), Version: max(v.group, 1) + 1, Key: v.id}
	count := &f.out.Different
	switch one.Class = Different; {
	case v.have == nil:
		one.Class, count = Missing, &f.out.Missing
	case v.want == nil:
		if early, err := v.early(f.c.schemas); err != nil || early {
			left.Early++
			return err
		}
		if f.late || !f.takeBack {
			left.Unknown++
			return nil
		}
		one.Class, count = Extra, &f.out.Extra
		changes = slices.DeleteFunc(changes, func(d Difference) bool { return d.Field != "weight" })
		changes[0].Want = "0"
	}
	if one.Class == Different && losesLabel(changes) {
		if f.late || !f.takeBack {
			if left.Losing++; len(f.examples) < mostExamples {
				f.examples = append(f.examples, one.ViewID)
			}
			return nil
		}
		f.out.Losing++
	}
	*count++
	if f.do == nil {
		return nil
	}
	one.Corrected = Corrected{Late: f.late, Changed: changed(changes)}
	if one.Value, err = f.value(v); err != nil {
		return err
	}
	return f.do(one)
}

// early tells whether the sample that counts of a view is of a stage before the last.
func (v *ofView) early(schemas *schemas) (bool, error) {
	text, err := schemas.all[v.have.schema].asJSON(v.have.raw)
	return isEarly(text), err
}

// replaced tells whether a later view has the id.
func replaced(beside []*entry, v *ofView) bool {
	return newer(beside, &entry{id: v.id, time: v.time + 1, version: -1})
}

// gone tells whether the sample of a view may have been written and let go of: before the first one that its partition still has. None is
// written before its view was.
// It may be any partition: there were fewer of them once.
func (f *correcting) gone(v *ofView) bool {
	for _, at := range f.c.trimmed {
		if v.time <= at {
			return true
		}
	}
	return false
}

// losesLabel tells whether a label is there, and must not be.
func losesLabel(changes []Difference) bool {
	return slices.ContainsFunc(changes, func(d Difference) bool {
		name, _, _ := strings.Cut(d.Field, ".")
		return (name == "positive" || name == "labels") && !isNothing(d.Got) && isNothing(d.Want)
	})
}

// isNothing tells whether a value says that there is no label.
func isNothing(value string) bool {
	return slices.Contains([]string{"", "null", "false", "0", "0.0"}, value)
}

// value is what is written: the sample that must count, or what takes back the one that does, with the next version.
func (f *correcting) value(v *ofView) ([]byte, error) {
	version := f.last + 1
	if v.have != nil {
		version = max(version, v.have.version+1)
	}
	from, frame := v.want, f.frame
	if from == nil {
		from = v.have
	}
	of := f.c.schemas.all[from.schema]
	raw, err := of.withVersion(from.raw, version)
	if err == nil && v.want == nil {
		frame = of.frame // it is of the schema that it was written with
		raw, err = of.withoutWeight(raw)
	}
	return append(slices.Clone(frame), raw...), err
}

// changed are differences as a header tells them: those of the sample's own fields, not those of its view.
func changed(all []Difference) map[string][2]json.RawMessage {
	out := map[string][2]json.RawMessage{}
	for _, d := range all {
		name, _, _ := strings.Cut(d.Field, ".")
		if slices.Contains([]string{"positive", "labels", "delay_ms", "maturity_ms", "sampling_rate", "weight"}, name) {
			out[d.Field] = [2]json.RawMessage{json.RawMessage(cmp.Or(d.Got, "null")), json.RawMessage(cmp.Or(d.Want, "null"))}
		}
	}
	return out
}
