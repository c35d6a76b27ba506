package audit

import (
	"context"
	"encoding/binary"
	"os"
	"slices"

	"tributary/pipelines/spec"
)

// putLate gives the parts what samples must be that were corrected for late engagements: those of a join in which such engagements count.
func (k *sink) putLate(ctx context.Context, s *spec.Spec, as asWritten, dir string, opt Options, to *parts, c *comparison) error {
	alone := *k
	of := alone.lastAlone()
	if dir += "/let-in"; of.from >= of.to {
		return nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	want, err := join(ctx, lastStage(s), []*sink{&alone}, as, dir, opt, true)
	if err != nil {
		return err
	}
	return want.each(ctx, &alone, c.schemas, func(_ *stage, one *entry) error {
		if one.side = sideLate; one.time < of.from || one.time >= of.to || !of.within(one.time) {
			return nil
		}
		return to.put(one)
	})
}

// viewKey names a view, by its id and time.
func viewKey(e *entry) string { return string(binary.AppendVarint(slices.Clone(e.id), e.time)) }

// corrections judges what a repair has written, and returns the views of which a correction counts that is right. It must be what the join
// says of the view in the end, or for late engagements what the one says in which they count; or take back a sample that there must not be.
func (c *comparison) corrections(corrections, have, want, late []*entry) (map[string]bool, error) {
	if len(corrections) == 0 {
		return nil, nil //nolint:nilnil // none
	}
	right, of := map[string]bool{}, map[string]bool{}
	for _, e := range corrections {
		of[viewKey(e)] = true
	}
	only := func(all []*entry) (some []*entry) {
		for _, e := range all {
			if of[viewKey(e)] {
				some = append(some, e)
			}
		}
		return some
	}
	letIn := map[string]*entry{}
	for _, e := range only(late) {
		letIn[viewKey(e)] = e
	}
	for _, v := range byView(append(only(have), corrections...), only(want)) {
		if v.have.corrected == asJoined {
			continue // the job has written it again since
		}
		if v.have.corrected == correctedForLate {
			v.want = letIn[viewKey(v.have)]
		}
		changes, err := v.changes(c.schemas)
		if err != nil {
			return nil, err
		}
		switch {
		case v.want == nil && v.have.weight == 0, v.want != nil && len(changes) == 0:
			right[viewKey(v.have)] = true
			c.stage(v.have.stage).Corrected++
			c.row(v.have.stage, c.where(v.have), hourOf(v.have)).Corrected++
		case v.have.corrected == correctedForLate && v.want != nil && !losesLabel(changes):
			// More labels have come late since: the next repair writes them.
			right[viewKey(v.have)] = true
			c.stage(v.have.stage).Outdated++
			c.row(v.have.stage, c.where(v.have), hourOf(v.have)).Outdated++
		default:
			for i := range changes {
				changes[i].Want, changes[i].Got = shortened(changes[i].Want), shortened(changes[i].Got)
			}
			c.find(Different, v.have.stage, c.where(v.have), v.have, idleIDs{}, Finding{Fields: changes, Note: "a repair has written it"})
		}
	}
	c.correctedTwice(corrections)
	return right, nil
}

// correctedTwice tells of corrections of a view that have the same version.
func (c *comparison) correctedTwice(corrections []*entry) {
	type version struct {
		view           string
		version, group int64
	}
	first := map[version]*entry{}
	for _, e := range corrections {
		key := version{viewKey(e), e.version, e.group}
		if first[key] == nil {
			first[key] = e
			continue
		}
		c.find(Doubled, e.stage, c.where(e), e, idleIDs{}, Finding{Note: "a repair has written it, and as well what is at " + c.placeOf(first[key])})
	}
}
