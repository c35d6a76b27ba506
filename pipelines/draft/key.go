package draft

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tributary/io/record"
	"tributary/pipelines/profile"
	"tributary/pipelines/report"
)

// Engagements may name no view, but whom and what they are about, as views do: a user, a user and an item, a session. These are a key of
// both, and the last view with it gets an engagement.

const (
	// leastShared is the share of each group of engagements whose key some view has.
	leastShared = 0.5
	// moreKeys is by how much a further field has to tell views apart, to be one of a key.
	moreKeys = 1.02
)

// shared is a key that views and engagements may have in common.
type shared struct {
	of []int // parts
	// keys is how many different ones the views have, found the share of each group of engagements that has one of those.
	keys  int
	found []float64
}

// findKey looks for a key where no engagement names a view. Then nothing tells the views but what files are called, and how many records there are.
func (j *joined) findKey(ctx context.Context, records int) error {
	if len(j.engagements) == 0 || slices.ContainsFunc(j.engagements, func(e engagements) bool { return e.found > 0 }) {
		return nil
	}
	byRole := *j
	if j.views.only == nil {
		byRole = *guessRoles(j.groups())
	}
	if len(byRole.engagements) == 0 {
		return nil
	}
	if err := byRole.chooseKey(ctx, records); err != nil || byRole.key == nil {
		return err
	}
	*j = byRole
	return nil
}

// groups are those of views and of engagements.
func (j *joined) groups() []*group {
	all := append([]*group{j.views}, j.also...)
	for _, e := range j.engagements {
		all = append(all, e.group)
	}
	return all
}

// guessRoles chooses the views as guessJoin does, where no values tell more.
func guessRoles(groups []*group) (best *joined) {
	bestScore := 0.0
	for _, v := range groups {
		score := v.roleScore(groups)
		if best != nil && score <= bestScore {
			continue
		}
		also, others := v.beside(groups)
		best, bestScore = &joined{views: v, also: also}, score
		for _, e := range others {
			best.engagements = append(best.engagements, engagements{group: e})
		}
	}
	return best
}

// chooseKey chooses the key, and the id of the views beside it; there is none if nothing that they have is shared enough.
func (j *joined) chooseKey(ctx context.Context, records int) error {
	for _, named := range []bool{true, false} {
		parts := j.keyParts(named)
		all, err := j.sharedBy(ctx, parts, records)
		if err != nil {
			return err
		}
		best, others := bestKey(parts, all)
		if best == nil {
			continue
		}
		j.viewID = j.ownID()
		for _, p := range best.of {
			j.key = append(j.key, parts[p].view)
		}
		for i := range j.engagements {
			e := &j.engagements[i]
			e.view, e.found = nil, best.found[i]
			for _, p := range best.of {
				e.key = append(e.key, parts[p].engagements[i])
			}
		}
		for _, other := range others {
			var fields []string
			for _, p := range other.of {
				fields = append(fields, parts[p].view)
			}
			j.otherKeys = append(j.otherKeys, fmt.Sprintf("%s: %.0f %%, %s", listed(fields), 100*mean(other.found), report.Count(int64(other.keys))))
		}
		j.keys = best.keys
		if j.viewID == nil {
			return j.findIDByKey(ctx, records)
		}
		return nil
	}
	return nil
}

// keyParts are the fields that all engagements have, too, and that name persons and things. Where none are called so, those are taken that are
// called the same on both sides and have more values than kinds do.
func (j *joined) keyParts(named bool) (parts []part) {
	for _, f := range j.views.profile.Fields {
		if len(parts) == mostParts {
			break
		}
		if !couldBePart(j.views, f) || j.views.isKinds(f.Path) || namesWhose(f.Path) != named || !named && len(f.Values) > 0 && len(f.Values) <= mostKinds {
			continue
		}
		p := part{view: f.Path, named: named}
		for _, e := range j.engagements {
			same := keyCounterpart(e.group, f)
			if same == nil || !couldBePart(e.group, same) || !named && same.Path != f.Path ||
				slices.ContainsFunc(parts, func(other part) bool { return other.engagements[len(p.engagements)] == same.Path }) {
				break
			}
			p.engagements = append(p.engagements, same.Path)
		}
		if len(p.engagements) == len(j.engagements) {
			parts = append(parts, p)
		}
	}
	return parts
}

// isKinds tells whether a field tells the kinds of a log apart.
func (g *group) isKinds(path string) bool { return g.only != nil && g.only.column == path }

// namesWhose tells whether a path is that of a person or thing: user, user.id, campaign_id, session.
func namesWhose(path string) bool {
	words := whoseWords(path)
	return isIDName(path) || len(words) > 0 && slices.Contains(whose, words[len(words)-1])
}

// whoseWords are the words of the last name of a path that says more than that it is an id: those of user.id are those of user and of user_id.
func whoseWords(path string) []string {
	names, err := record.ParsePath(path)
	if err != nil {
		return nil
	}
	for _, name := range slices.Backward(names) {
		words := slices.DeleteFunc(nameWords(record.JoinPath(name)), func(w string) bool { return slices.Contains(idWords, w) })
		if len(words) > 0 {
			return words
		}
	}
	return nil
}

// keyCounterpart is the field of other records that names the same, by what it is called or else by its values; nil if there is none.
func keyCounterpart(g *group, f *profile.Field) *profile.Field {
	if same := g.profile.Field(f.Path); same != nil {
		return same
	}
	words := whoseWords(f.Path)
	for _, other := range g.profile.Fields {
		if namesWhose(other.Path) && len(words) > 0 && slices.Equal(words, whoseWords(other.Path)) {
			return other
		}
	}
	return g.profile.Field(counterpart(g, f))
}

// sharedBy are the keys of one to three of the parts, with how many engagements have those of views.
func (j *joined) sharedBy(ctx context.Context, parts []part, records int) (all []shared, err error) {
	if len(parts) == 0 {
		return nil, nil
	}
	for size := 1; size <= min(3, len(parts)); size++ {
		for _, of := range choose(len(parts), size) {
			all = append(all, shared{of: of})
		}
	}
	paths := make([]string, len(parts))
	for i, p := range parts {
		paths[i] = p.view
	}
	shown := make([]map[uint64]bool, len(all))
	for i := range shown {
		shown[i] = map[uint64]bool{}
	}
	n := 0
	for _, v := range append([]*group{j.views}, j.also...) {
		err := eachKey(ctx, v, paths, records, func(ids []record.Value) error {
			if n++; n > valuesKept {
				return errEnough
			}
			for i := range all {
				shown[i][keyOf(ids, all[i].of)] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for k, e := range j.engagements {
		of, in := 0, make([]int, len(all))
		for i, p := range parts {
			paths[i] = p.engagements[k]
		}
		err := eachKey(ctx, e.group, paths, records, func(ids []record.Value) error {
			of++
			for i := range all {
				if shown[i][keyOf(ids, all[i].of)] {
					in[i]++
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i].keys = len(shown[i])
			all[i].found = append(all[i].found, float64(in[i])/float64(max(of, 1)))
		}
	}
	return all, nil
}

// bestKey chooses the key with the most different values, so that fewest views share one, of fields without which it would have fewer, and of
// those that name who did it if there are any: what all do with an item says little of what one was shown. others are those of one field
// that would do as well.
func bestKey(parts []part, all []shared) (best *shared, others []shared) {
	all = slices.DeleteFunc(all, func(s shared) bool { return slices.Min(s.found) < leastShared })
	isWho := func(s *shared) bool {
		return slices.ContainsFunc(s.of, func(p int) bool { return hasAny(whoseWords(parts[p].view), who) })
	}
	for i := range all { // smaller ones come first
		s := &all[i]
		switch {
		case best == nil, isWho(s) && !isWho(best), isWho(s) == isWho(best) && float64(s.keys) > float64(best.keys)*moreKeys:
			best = s
		}
	}
	for _, s := range all {
		if len(s.of) == 1 && !slices.Equal(s.of, best.of) {
			others = append(others, s)
		}
	}
	slices.SortStableFunc(others, func(a, b shared) int { return -cmp.Compare(a.keys, b.keys) })
	return best, others[:min(len(others), 2)]
}

// ownID is the field of the views that is called like an id of their own and is one; none if there is none.
func (j *joined) ownID() []string {
	about := append([]string{"event", "message", "record", "row"}, viewWords...)
	for _, f := range j.views.profile.Fields {
		words := nameWords(f.Path)
		if len(words) == 0 || !couldBeID(j.views, f) || f.Filled < j.views.profile.Records || uniqueness(f) < uniqueEnough {
			continue
		}
		isOwn := func(w string) bool { return slices.Contains(about, w) || slices.Contains(idWords, w) }
		if (isIDName(f.Path) || hasAny(words, viewWords)) && !slices.ContainsFunc(words, func(w string) bool { return !isOwn(w) }) {
			return []string{f.Path}
		}
	}
	return nil
}

// findIDByKey makes an id of the key and the time, and of one further field if it takes one to tell views apart.
func (j *joined) findIDByKey(ctx context.Context, records int) error {
	v := j.views
	if v.time == nil || v.profile.Field(v.time.path).Floats > 0 {
		return nil
	}
	paths := append(slices.Clone(j.key), v.time.path)
	first := len(paths)
	for _, f := range v.profile.Fields {
		if couldBePart(v, f) && f.Filled == v.profile.Records && !slices.Contains(paths, f.Path) && !v.isKinds(f.Path) {
			paths = append(paths, f.Path)
		}
	}
	ids := make([]map[uint64]bool, len(paths)-first+1) // the first without another field
	of := make([][]int, len(ids))
	for i := range ids {
		ids[i] = map[uint64]bool{}
		for at := range first {
			of[i] = append(of[i], at)
		}
		if i > 0 {
			of[i] = append(of[i], first+i-1)
		}
	}
	all := 0
	err := eachKey(ctx, v, paths, min(records, recordsOfParts), func(values []record.Value) error {
		if all++; all > recordsOfParts {
			return errEnough
		}
		for i := range ids {
			ids[i][keyOf(values, of[i])] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	best := 0
	for i := range ids {
		if float64(len(ids[best])) < uniqueTogether*float64(all) && len(ids[i]) > len(ids[best]) {
			best = i
		}
	}
	if all == 0 || float64(len(ids[best])) < uniqueTogether*float64(all) {
		return nil
	}
	for _, at := range of[best] {
		j.viewID = append(j.viewID, paths[at])
	}
	j.apart = float64(len(ids[best])) / float64(all)
	return nil
}

// whyKey says what speaks for the key.
func (j *joined) whyKey() string {
	var by []string
	for _, e := range j.engagements {
		by = append(by, fmt.Sprintf("%.0f %% of %s", 100*e.found, e.called()))
	}
	why := "no engagement names a view, but " + strings.Join(by, ", ") + " have one of the " + report.Count(int64(j.keys)) + " that views have"
	if len(j.otherKeys) > 0 {
		why += "; or " + strings.Join(j.otherKeys, "; or ")
	}
	return why
}
