package spec

import (
	"slices"

	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
)

// shares tells whether there are engagements that count for some of the views of a key only.
func (s *Spec) shares() bool {
	return slices.ContainsFunc(s.Engagements, func(e Engagement) bool { return len(e.Key) > 0 && e.Credit != CreditAll })
}

// creditRules looks at how engagements name views, and for which of several they count.
func (r *reader) creditRules(s *Spec, e Engagement) {
	at := dotted("engagements").key(e.Kind)
	if !r.isSet(at) || !r.ok(at, at.key("view"), at.key("key"), "views.key") || r.anyFailed(string(at)+".") && len(e.View)+len(e.Key) == 0 {
		return
	}
	view, key := r.isSet(at.key("view")), r.isSet(at.key("key"))
	labels := e.AllLabels()
	whole := slices.IndexFunc(labels, func(l NamedLabel) bool { return l.Func != "" && l.Func.Definition().Parts == "" })
	var p problem.Problem
	switch {
	case !view && !key:
		p = r.problem("T1128", r.at(at), at, "%s has neither view nor key: nothing says which view it is for", e.Kind)
		p.Hint = "name the field that holds the view's id, like `view: view_id`; or, if there is none, what views and engagements have in common, like `key: user_id`, on both sides"
	case view && key:
		p = r.problem("T1128", r.at(at.key("key")), at.key("key"), "%s names views by their id (view) and by their key: one of both", e.Kind)
		p.Hint = "keep view if the field is there in every record, for it tells exactly which view is meant"
	case key && len(s.Views.Key) == 0:
		p = r.problem("T1129", r.at(at.key("key")), at.key("key"), "%s names views by their key, and views have none", e.Kind)
		p.Hint = "name the same fields under views as well, like `key: " + idType.inline(e.Key) + "`"
	case view && len(s.Views.Key) > 0:
		p = r.problem("T1129", r.at(at.key("view")), at.key("view"), "views have a key, and %s names them by their id: all kinds name them in one way", e.Kind)
		p.Hint = "name the key here, or make a spec of its own for the kinds that name the id"
	case !r.ok(at.key("credit")) || r.anyFailed(string(at.key("credit"))+"."):
		return
	case view && e.After != "":
		p = r.problem("T1130", r.at(at.key("credit")), at.key("credit"), "%s names its view, so that there are no others to choose from", e.Kind)
		p.Hint = "leave credit out; or let both sides have the id as their key, like `key: view_id`"
	case e.After != "" && (e.After == e.Kind || !slices.ContainsFunc(s.Engagements, func(other Engagement) bool { return other.Kind == e.After })):
		after := at.key("credit").key("after")
		p = r.problem("T1132", r.at(after), after, "%s is to count after %q, which is no other kind of engagement", e.Kind, e.After)
		p.Got = e.After
		for _, other := range s.Engagements {
			if other.Kind != e.Kind {
				p.Allowed = append(p.Allowed, other.Kind)
			}
		}
		if p.Nearest = Nearest(e.After, p.Allowed); p.Nearest != "" {
			p.Fix = r.replaced(r.at(after), p.Nearest)
		}
	case view && e.Credit != "" && e.Credit != CreditAll:
		p = r.problem("T1130", r.at(at.key("credit")), at.key("credit"), "%s names its view, so that there are no others to choose from", e.Kind)
		p.Got, p.Nearest, p.Fix = string(e.Credit), string(CreditAll), r.replaced(r.at(at.key("credit")), string(CreditAll))
		p.Hint = "leave it out; which of the view's engagements count is said by count"
	case e.Credit == CreditEven && r.ok(at.key("label"), at.key("labels")) && whole >= 0:
		of := labels[whole].Func
		p = r.problem("T1131", r.at(at.key("credit")), at.key("credit"), "with even each view has a part of an engagement, and label %s cannot be a part", of)
		p.Got, p.Allowed = string(of), texts([]label.Func{label.Binary, label.Count, label.Sum})
		p.Hint = "take one of those as the label, or another credit"
	default:
		return
	}
	r.add(p)
}
