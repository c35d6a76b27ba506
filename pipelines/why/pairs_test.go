package why

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/transforms/attribution/bucket"
)

// keyed is a spec of views and likes that share an item; more is what likes have besides.
func keyed(more string) string {
	return "views: {inputs: [{path: views.jsonl, order: file}], id: id, key: item, time: {field: ts, unit: epoch-millis}}\n" +
		"engagements: {like: {inputs: [{path: likes.jsonl, order: file}], key: item, id: event, time: {field: ts, unit: epoch-millis}, window: 30m" + more + "}}\n" + outputs
}

// ofItem are records of one item.
func ofItem(records ...string) (all []string) {
	for _, text := range records {
		all = append(all, strings.Replace(text, "{", `{"item":"i",`, 1))
	}
	return all
}

// TestSaying: a sentence says that first of what does not count which would be nearest to counting, and where what counts goes.
func TestSaying(t *testing.T) {
	day := 24 * time.Hour
	several := ofItem(view("a", 0), view("b", time.Minute), view("c", 2*time.Minute))
	for _, c := range []struct {
		name, text   string
		views, likes []string
		sentences    map[string]string
	}{
		{
			name: "a dead engagement", text: fmt.Sprintf(viewsOf+likesOf, "", "") + outputs, views: []string{view("v", 0)}, likes: []string{`{"event":"e","view":"v","ts":"oops"}`},
			sentences: map[string]string{"v": "View v of 2026-01-02T10:00:00Z is a negative: the like at likes.jsonl@0 is a dead letter"},
		},
		{
			name: "the reason first", text: keyed(", label: count, credit: last"),
			views:     ofItem(view("a", day), view("b", day+time.Minute)),
			likes:     ofItem(like("1", "", 0), like("2", "", time.Hour), like("3", "", 2*time.Hour), like("e", "", day+2*time.Minute), like("4", "", day+time.Hour)),
			sentences: map[string]string{"a": "View a of 2026-01-03T10:00:00Z is a negative: the like at likes.jsonl@3 counts for view b of the same key, the like at likes.jsonl@4 is 30m after its window, the like at likes.jsonl@2 is 22h before the view and 2 more"},
		},
		{
			name: "the nearest view", text: keyed(", label: count"),
			views: ofItem(view("a", 0), view("b", time.Hour)), likes: ofItem(like("e", "", 2*time.Hour)),
			sentences: map[string]string{"e": "The like at likes.jsonl@0 of 2026-01-02T12:00:00Z is an orphan: no view with the key i is in reach; it is 30m after its window (view at views.jsonl@1 of 2026-01-02T11:00:00Z)."},
		},
		{
			name: "one of those that go to a view", text: keyed(", label: count, credit: last, count: first"),
			views: ofItem(view("a", 0), view("b", time.Minute)), likes: ofItem(like("e", "", 2*time.Minute), like("f", "", 3*time.Minute)),
			sentences: map[string]string{"a": "View a of 2026-01-02T10:00:00Z is a negative: the like at likes.jsonl@0 goes to view b of the same key and the like at likes.jsonl@1 goes to view b of the same key"},
		},
		{
			name: "several views", text: keyed(", label: count, credit: all"), views: several, likes: ofItem(like("e", "", 3*time.Minute)),
			sentences: map[string]string{"e": "The like at likes.jsonl@0 of 2026-01-02T10:03:00Z counts for view a of 2026-01-02T10:00:00Z, at views.jsonl@0, 3m before, and for 2 more."},
		},
		{
			name: "parts", text: keyed(", label: count, credit: even"), views: several, likes: ofItem(like("e", "", 3*time.Minute)),
			sentences: map[string]string{"e": "The like at likes.jsonl@0 of 2026-01-02T10:03:00Z counts for view a of 2026-01-02T10:00:00Z, at views.jsonl@0, 3m before, and for 2 more, for each as 1/3."},
		},
		{
			name: "clock skew", text: fmt.Sprintf(viewsOf+likesOf, "", "") + "clock_skew: 5s\n" + outputs, views: []string{view("v", 2*time.Second)}, likes: []string{like("e", "v", 0)},
			sentences: map[string]string{"e": "The like at likes.jsonl@0 of 2026-01-02T10:00:00Z counts for view v of 2026-01-02T10:00:02Z, at views.jsonl@0, 2s later."},
		},
		{
			name: "views of one id", text: keyed(", label: count, credit: last"), views: ofItem(view("v", 0), view("v", time.Minute)), likes: ofItem(like("e", "", 2*time.Minute)),
			sentences: map[string]string{"v": "View v of 2026-01-02T10:00:00Z is a negative: the like at likes.jsonl@0 counts for view v of 2026-01-02T10:01:00Z of the same key"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.views, c.likes, c.text).join()
			for id, want := range c.sentences {
				found := r.why(id)
				require.True(t, strings.HasPrefix(found.Sentence, want), "%s: %s", id, found.Sentence)
			}
		})
	}
}

// TestPairsOfTheID: of the views and engagements of a key only the pairs are told that one of the id is in.
func TestPairsOfTheID(t *testing.T) {
	var views, likes []string
	for i := range 5 {
		views = append(views, view(fmt.Sprint("v", i), time.Duration(i)*time.Minute))
		likes = append(likes, like(fmt.Sprint("e", i), "", time.Duration(i+5)*time.Minute))
	}
	likes = append(likes, like("far", "", 5*time.Hour))
	r := newRig(t, ofItem(views...), ofItem(likes...), keyed(", label: count")).join()
	for id, want := range map[string]int{"e1": 5, "v1": 6, "far": 5} {
		found := r.why(id)
		require.Len(t, found.pairRows(), want, id)
		for _, one := range found.Records {
			if one.own && !one.view() {
				require.Len(t, one.Views, want, id)
			}
		}
	}
	require.Equal(t, bucket.PairAfter, r.why("far").Records[0].Stages[0].Engagements[0].Fate)
}

// TestViewsOfOneID: views of one id and time under several keys have each a sample of its own.
func TestViewsOfOneID(t *testing.T) {
	var views []string
	for _, item := range []string{"a", "i", "b"} {
		views = append(views, fmt.Sprintf(`{"id":"r","item":%q,"ts":%d}`, item, at(0)))
	}
	r := newRig(t, views, ofItem(like("e", "", time.Minute)), keyed(", label: count")).join()
	found := r.why("r")
	var told []string
	for _, one := range found.Records {
		if one.view() {
			st := one.Stages[0]
			told = append(told, fmt.Sprintf("%s %v %s %s", one.Key, st.Positive, labels(st.Sample), st.Sinks[0].State))
		}
	}
	require.Equal(t, []string{"a false like=0 written", "i true like=1 written", "b false like=0 written"}, told)
}
