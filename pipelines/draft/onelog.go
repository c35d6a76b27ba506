package draft

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/pipelines/profile"
	"tributary/pipelines/spec"
)

// One log may hold all events, views and engagements, told apart by a column of kinds like event or type. Which they are is guessed by what
// the kinds are called; what is called neither like views nor like engagements is left out.

// mostKindsOfLog is how many values a column of kinds may have in a log of all events.
const mostKindsOfLog = 100

var (
	// seenWords are those of kinds that are views, beside viewWords.
	seenWords = []string{"viewed", "show", "seen", "displayed", "pv", "imprint"}
	// doneWords are those of kinds that are engagements, beside engWords, failedWords those of what came to nothing or was undone.
	doneWords   = []string{"addtocart", "wishlist", "fav", "clicked", "liked", "bought", "ordered", "purchased", "shared", "subscribe", "download", "apply"}
	failedWords = []string{"error", "bug", "fail", "failed", "failure", "cancel", "canceled", "cancelled", "remove", "removed", "delete", "refund", "return", "abandon", "abandoned", "timeout"}
)

// only are the records of some kinds of a log of all events.
type only struct {
	column string
	values []string
	// others are the kinds that are taken for neither views nor engagements.
	others []string
	// all is how many records of all kinds were looked at.
	all int64
}

// of visits those of the records alone.
func (o *only) of(visit func(text []byte) error) func(text []byte) error {
	if o == nil {
		return visit
	}
	extractor, kind := jsontext.NewExtractor([]string{o.column}), make([]record.Value, 1)
	return func(text []byte) error {
		if _, err := extractor.Extract(text, kind); err != nil || kind[0].Kind != record.String || !slices.Contains(o.values, string(kind[0].Text)) {
			return nil //nolint:nilerr // a bad record: check --inputs tells of it
		}
		return visit(text)
	}
}

// split makes two groups of a log of all events: its views, and its engagements. There is none if no column tells them apart.
func (g *group) split(ctx context.Context, records int) (views, rest *group, err error) {
	for _, f := range g.profile.Fields {
		if !isKindColumn(f, mostKindsOfLog) {
			continue
		}
		seen, done, others := roles(f)
		if len(seen) == 0 || len(done) == 0 {
			continue
		}
		if views, err = g.ofKinds(ctx, records, only{f.Path, seen, others, g.profile.Records}, "view"); err != nil {
			return nil, nil, err
		}
		rest, err = g.ofKinds(ctx, records, only{f.Path, done, others, g.profile.Records}, "engagement")
		return views, rest, err
	}
	return nil, nil, nil
}

// ofKinds is the group of some of the kinds. It is known what they are, whatever files are called.
func (g *group) ofKinds(ctx context.Context, records int, kinds only, role string) (*group, error) {
	some := *g
	some.only, some.words = &kinds, []string{role}
	return &some, some.look(ctx, records)
}

// roles tells the kinds that are views, the most frequent one of those that are called so, and those that are engagements, as far as
// there is room for them. Where none is called like views, the most frequent one that is not called like engagements is.
func roles(kinds *profile.Field) (views, engagements, others []string) {
	byCount := slices.SortedFunc(maps.Keys(kinds.Values), func(a, b string) int {
		return cmp.Or(-cmp.Compare(kinds.Values[a], kinds.Values[b]), cmp.Compare(a, b))
	})
	neutral := ""
	for _, value := range byCount {
		words := append(wordsOf(value), nameWords(record.JoinPath(value))...) // both numbers of each
		failed, done, seen := hasAny(words, failedWords), hasAny(words, engWords) || hasAny(words, doneWords), hasAny(words, viewWords) || hasAny(words, seenWords)
		switch {
		case failed:
		case done && len(engagements) < mostKinds && spec.KindName(value) != "":
			engagements = append(engagements, value)
			continue
		case done:
		case seen && len(views) == 0:
			views = append(views, value)
			continue
		case !seen && neutral == "":
			neutral = value
		}
		others = append(others, value)
	}
	if len(views) == 0 && neutral != "" {
		views, others = []string{neutral}, slices.DeleteFunc(others, func(value string) bool { return value == neutral })
	}
	slices.Sort(others)
	return views, engagements, others
}

// ofOneLog takes two groups of a log for what they are. A field that both have without a common value is each one's own id.
func ofOneLog(views, rest *group) *joined {
	j, _ := linked(views, []*group{views, rest})
	if e := &j.engagements[0]; e.found == 0 {
		e.view = nil
	}
	return j
}

// called is what engagements are called in comments.
func (g *group) called() string {
	if g.only == nil {
		return strings.Join(g.words, " ")
	}
	return listed(g.only.values)
}

// listed are names in words.
func listed(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// looked is how many records were looked at.
func (g *group) looked() int64 {
	if g.only != nil {
		return g.only.all
	}
	return g.profile.Records
}
