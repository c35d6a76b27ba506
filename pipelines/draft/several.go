package draft

import (
	"cmp"
	"context"
	"slices"

	"github.com/zeebo/xxh3"

	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/pipelines/profile"
)

// A view may have an id of several fields, like a request and a position in it: none of them alone tells views apart, but together they
// do, and engagements have them all.

const (
	// uniqueEnough is how unique an id of one field is that needs no other beside it: some views are resent.
	uniqueEnough = 0.95
	// uniqueTogether is how unique several fields have to be.
	uniqueTogether = 0.98
	// mostParts bounds the fields of which ids are put together, mostSets how many of those are held against engagements.
	mostParts, mostSets = 6, 4
	// recordsOfParts is how many views tell which fields are unique together.
	recordsOfParts = 20_000
)

// part is a field of the views that may be one of those of their id, with the field of each engagement that has the same.
type part struct {
	view        string
	engagements []string
	named       bool // it is called so
}

// findSeveral looks for an id of several fields where no field alone will do.
func (j *joined) findSeveral(ctx context.Context, records int) error {
	alone := 0.0
	if len(j.viewID) > 0 {
		alone = uniqueness(j.views.profile.Field(j.viewID[0]))
	}
	if alone >= uniqueEnough || len(j.engagements) == 0 {
		return nil
	}
	parts := j.parts()
	sets, err := j.uniqueSets(ctx, parts, records)
	if err != nil {
		return err
	}
	var best []int
	var found []float64
	for _, set := range sets {
		shares, err := j.shares(ctx, parts, set, records)
		if err != nil {
			return err
		}
		if slices.Min(shares) >= 0.05 && (best == nil || mean(shares) > mean(found)) {
			best, found = set, shares
		}
	}
	if best == nil {
		return nil
	}
	j.viewID = nil
	for i := range j.engagements {
		e := &j.engagements[i]
		e.view, e.found = nil, found[i]
		for _, p := range best {
			e.view = append(e.view, parts[p].engagements[i])
		}
	}
	for _, p := range best {
		j.viewID = append(j.viewID, parts[p].view)
	}
	return nil
}

func mean(shares []float64) (sum float64) {
	for _, s := range shares {
		sum += s
	}
	return sum / float64(len(shares))
}

// parts are the fields that all engagements have, too: those first that are called like parts of an id.
func (j *joined) parts() (parts []part) {
	for _, named := range []bool{true, false} {
		for _, f := range j.views.profile.Fields {
			if len(parts) == mostParts {
				return parts
			}
			if !couldBePart(j.views, f) || calledPart(f.Path) != named {
				continue
			}
			p := part{view: f.Path, named: named}
			for _, e := range j.engagements {
				same := counterpart(e.group, f)
				taken := slices.ContainsFunc(parts, func(other part) bool { return other.engagements[len(p.engagements)] == same })
				if same == "" || taken || !named && same != f.Path {
					break
				}
				p.engagements = append(p.engagements, same)
			}
			if len(p.engagements) == len(j.engagements) {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// couldBePart tells whether a field has the values of a part of an id.
func couldBePart(g *group, f *profile.Field) bool {
	return (g.time == nil || g.time.path != f.Path) && f.Filled*10 >= g.profile.Records*9 && f.Floats+f.Bools+f.Lists+f.TextFloats+f.TextTimes == 0 && len(f.Values) != 1
}

// placeWords are those of fields that tell what is shown together apart.
var placeWords = []string{"position", "pos", "rank", "slot", "index", "idx", "place", "row", "number"}

// calledPart tells whether a field is called like a part of an id.
func calledPart(path string) bool {
	words := nameWords(path)
	return isIDName(path) || hasAny(words, whose) || hasAny(words, placeWords) || hasAny(words, viewWords)
}

// counterpart is the field of other records that holds the same, by its name or else by its values; empty if there is none.
func counterpart(g *group, f *profile.Field) string {
	best, most := "", 0.5
	words := allWords(f.Path)
	for _, other := range g.profile.Fields {
		switch {
		case g.time != nil && g.time.path == other.Path:
		case other.Path == f.Path || len(words) > 0 && slices.Equal(words, allWords(other.Path)):
			return other.Path
		case isIDName(other.Path):
			if in := overlap(other, f); in > most && uniqueness(other)*float64(other.Filled) > 1 {
				best, most = other.Path, in
			}
		}
	}
	return best
}

// allWords are the words of a path: those of item.id are those of item_id.
func allWords(path string) (words []string) {
	names, err := record.ParsePath(path)
	if err != nil {
		return nil
	}
	for _, name := range names {
		words = append(words, nameWords(record.JoinPath(name))...)
	}
	return words
}

// uniqueSets are the smallest sets of parts that tell views apart, those first that are called so and do it best.
func (j *joined) uniqueSets(ctx context.Context, parts []part, records int) ([][]int, error) {
	paths := make([]string, len(parts))
	for i, p := range parts {
		paths[i] = p.view
	}
	for size := 2; size <= min(3, len(parts)); size++ {
		var sets []partSet
		for _, of := range choose(len(parts), size) {
			sets = append(sets, newPartSet(parts, of))
		}
		all := 0
		err := eachKey(ctx, j.views, paths, min(records, recordsOfParts), func(ids []record.Value) error {
			if all++; all > recordsOfParts {
				return errEnough
			}
			for i := range sets {
				sets[i].keys[keyOf(ids, sets[i].of)] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		sets = slices.DeleteFunc(sets, func(s partSet) bool { return float64(len(s.keys)) < uniqueTogether*float64(all) })
		if len(sets) == 0 || all < 2 {
			continue
		}
		slices.SortStableFunc(sets, func(a, b partSet) int {
			return cmp.Or(cmp.Compare(a.strangers, b.strangers), -cmp.Compare(len(a.keys), len(b.keys)))
		})
		var best [][]int
		for _, s := range sets[:min(len(sets), mostSets)] {
			best = append(best, s.of)
		}
		return best, nil
	}
	return nil, nil
}

// partSet is some of the parts, by their numbers, with the ids that they make.
type partSet struct {
	of        []int
	keys      map[uint64]bool
	strangers int // those that are not called like parts
}

func newPartSet(parts []part, of []int) partSet {
	s := partSet{of: of, keys: map[uint64]bool{}}
	for _, p := range of {
		if !parts[p].named {
			s.strangers++
		}
	}
	return s
}

// choose are the sets of so many of the numbers below n, in order.
func choose(n, size int) (sets [][]int) {
	if size == 0 {
		return [][]int{nil}
	}
	for last := size - 1; last < n; last++ {
		for _, rest := range choose(last, size-1) {
			sets = append(sets, append(slices.Clone(rest), last))
		}
	}
	return sets
}

// shares are the shares of each engagement's records that name a view by a set of parts.
func (j *joined) shares(ctx context.Context, parts []part, set []int, records int) ([]float64, error) {
	whole := make([]int, len(set))
	views := make([]string, len(set))
	for i, p := range set {
		whole[i], views[i] = i, parts[p].view
	}
	shown := map[uint64]bool{}
	for _, v := range append([]*group{j.views}, j.also...) {
		err := eachKey(ctx, v, views, records, func(ids []record.Value) error {
			if len(shown) == valuesKept {
				return errEnough
			}
			shown[keyOf(ids, whole)] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	shares := make([]float64, len(j.engagements))
	for i, e := range j.engagements {
		names := make([]string, len(set))
		for k, p := range set {
			names[k] = parts[p].engagements[i]
		}
		all, in := 0, 0
		err := eachKey(ctx, e.group, names, records, func(ids []record.Value) error {
			if all++; shown[keyOf(ids, whole)] {
				in++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		shares[i] = float64(in) / float64(max(all, 1))
	}
	return shares, nil
}

// keyOf is the hash of the id that some of the values make.
func keyOf(values []record.Value, of []int) uint64 {
	some := make([]record.Value, len(of))
	for i, at := range of {
		some[i] = values[at]
	}
	id, _, _ := record.AppendIDParts(nil, some) // all of them are ids: see eachKey
	return xxh3.Hash(id)
}

// eachKey visits the values of fields, of records in which all of them are ids.
func eachKey(ctx context.Context, g *group, paths []string, records int, visit func(ids []record.Value) error) error {
	extractor := jsontext.NewExtractor(paths)
	values := make([]record.Value, len(paths))
	for _, f := range g.files[:min(len(g.files), filesOfGroup)] {
		_, err := g.each(ctx, f.Path, records, func(text []byte) error {
			if _, err := extractor.Extract(text, values); err != nil {
				return nil //nolint:nilerr // a bad record: check --inputs tells of it
			}
			if _, _, err := record.AppendIDParts(nil, values); err != nil {
				return nil //nolint:nilerr // as above
			}
			return visit(values)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
