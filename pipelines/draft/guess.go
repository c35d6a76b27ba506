package draft

import (
	"slices"

	"tributary/pipelines/profile"
)

// valuesKept is how many values of a field are held to find what belongs together.
const valuesKept = 200_000

// joined is what is thought of the groups: one of them is the views, the others are engagements.
type joined struct {
	views *group
	// viewID are the fields of the id, one as a rule; none if nothing links the groups.
	viewID []string
	// also are further groups of views.
	also []*group
	// key are the fields that views share with engagements which name no view; none otherwise. keys is how many different ones there
	// are, otherKeys are fields that would do as well, and apart is the share of views that an id of the key tells apart.
	key         []string
	keys        int
	otherKeys   []string
	apart       float64
	engagements []engagements
	measured    measured
}

// engagements is a group of engagements.
type engagements struct {
	*group
	view   []string // the fields that name the view, as many as its id has; none if none do
	key    []string // the fields of the key, as many as that of the views has
	found  float64  // share of its values that are ids or keys of views
	id     string   // of its own; may be empty
	column string   // that tells kinds apart; may be empty
	kinds  []kind
	passed []string // values of the column that are no kinds
}

// kind is a kind of engagement.
type kind struct {
	name, value string // value is of the column
	count       int64
	only        *group // the records of it, whose delays are measured apart; nil if those of all kinds are
}

// guessJoin chooses the views: the group whose ids the others name, by their values first and by
// what files and fields are called.
func guessJoin(groups []*group) *joined {
	var best *joined
	bestScore := 0.0
	for _, v := range groups {
		j, score := linked(v, groups)
		score += v.roleScore(groups)
		if best == nil || score > bestScore {
			best, bestScore = j, score
		}
	}
	return best
}

// roleScore tells how likely a group is the views, by what it is called and by how large it is.
func (g *group) roleScore(groups []*group) (score float64) {
	switch words := g.singleWords(); {
	case hasAny(words, viewWords):
		score = 2
	case hasAny(words, engWords):
		score = -2
	}
	// Of two that name each other the larger one is the views: most get no engagement.
	return score + 0.5*float64(g.profile.Records)/float64(total(groups))
}

func total(groups []*group) (n int64) {
	for _, g := range groups {
		n += g.profile.Records
	}
	return n
}

// linked takes v for the views and finds the id by which the others name it best.
func linked(v *group, groups []*group) (best *joined, bestScore float64) {
	also, others := v.beside(groups)
	ids := append([]*profile.Field{nil}, v.profile.Fields...)
	for _, id := range ids {
		j, score := &joined{views: v, also: also}, 0.0
		if id != nil {
			if !couldBeID(v, id) {
				continue
			}
			j.viewID = []string{id.Path}
		}
		for _, e := range others {
			link, found, s := bestLink(id, e)
			linked := engagements{group: e, found: found}
			if link != "" {
				linked.view = []string{link}
			}
			j.engagements = append(j.engagements, linked)
			score += s
		}
		if len(j.engagements) > 0 {
			score /= float64(len(j.engagements))
		}
		if best == nil || score > bestScore {
			best, bestScore = j, score
		}
	}
	return best, bestScore
}

// beside are the other groups if g is the views: those that are views, too, and the engagements.
func (g *group) beside(groups []*group) (also, others []*group) {
	for _, e := range groups {
		switch {
		case e == g:
		case sameRole(g, e):
			also = append(also, e)
		default:
			others = append(others, e)
		}
	}
	return also, others
}

// sameRole tells whether files of another folder are views, too: they have the same fields and a
// name for views.
func sameRole(v, e *group) bool {
	return hasAny(v.singleWords(), viewWords) && hasAny(e.singleWords(), viewWords) && e.profile.Field(firstField(v)) != nil && v.profile.Field(firstField(e)) != nil
}

func firstField(g *group) string {
	if len(g.profile.Fields) == 0 {
		return ""
	}
	return g.profile.Fields[0].Path
}

// couldBeID tells whether a field may identify its records, for the most part.
func couldBeID(g *group, f *profile.Field) bool {
	if g.time != nil && g.time.path == f.Path || f.Filled == 0 || f.Floats+f.Bools+f.Lists+f.TextTimes > 0 {
		return false
	}
	return uniqueness(f) >= 0.5
}

// uniqueness is how many different values a field has, of those there are.
func uniqueness(f *profile.Field) float64 {
	if f.Values == nil {
		return 1 // more than are kept
	}
	return float64(len(f.Values)) / float64(f.Filled)
}

// bestLink finds the field of e that names the id of the views.
func bestLink(id *profile.Field, e *group) (path string, found, score float64) {
	if id == nil {
		return "", 0, 0
	}
	for _, f := range e.profile.Fields {
		if e.time != nil && e.time.path == f.Path || f.Filled == 0 || f.Floats+f.Bools+f.Lists+f.TextTimes > 0 {
			continue
		}
		in := overlap(f, id)
		unique := uniqueness(id)
		s := in * unique * unique
		words := nameWords(f.Path)
		if f.Path == id.Path || len(words) > 0 && slices.Equal(words, nameWords(id.Path)) {
			s += 0.3
		}
		if isIDName(f.Path) {
			s += 0.2
		}
		if hasAny(words, viewWords) {
			s += 0.3
		}
		if hasAny(words, whose) {
			s -= 0.6
		}
		// Without a common value the names have to be the same, and those of views.
		named := isIDName(f.Path) && (slices.Equal(words, nameWords(id.Path)) || hasAny(words, viewWords) && isIDName(id.Path))
		if in < 0.05 && !named || s < 0.3 {
			continue
		}
		if s > score {
			path, found, score = f.Path, in, s
		}
	}
	return path, found, score
}

// overlap is the share of f's values that id has.
func overlap(f, id *profile.Field) float64 {
	if len(f.Values) == 0 || id.Values == nil {
		return 0
	}
	in := 0
	for value := range f.Values {
		if id.Values[value] > 0 {
			in++
		}
	}
	return float64(in) / float64(len(f.Values))
}
