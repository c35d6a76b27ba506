package why

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRolesOfOneLog: of a record that one role takes the others say nothing, though they leave it out; what all leave out is told once.
func TestRolesOfOneLog(t *testing.T) {
	role := func(kind, more string) string {
		return fmt.Sprintf("{inputs: [{path: views.jsonl, order: file}], where: {kind: %s}, time: {field: ts, unit: epoch-millis}, %s}", kind, more)
	}
	event := func(kind, id, more string, d time.Duration) string {
		return fmt.Sprintf(`{"kind":%q,"id":%q,%s"ts":%d}`, kind, id, more, at(d))
	}
	log := []string{
		event("view", "v1", `"user":"u",`, 0), event("like", "e1", `"user":"u","view":"v1",`, time.Minute), event("share", "e2", `"user":"u","view":"v1",`, 2*time.Minute),
		event("ping", "p", `"user":"u","view":"v1",`, 3*time.Minute), `{"kind":"like","id":"e3","view":"v1","ts":"oops"}`,
	}
	const dead = `is a dead letter: field ts: time "oops" is not a number, as epoch-millis wants`
	engaged := "counts for view v1 of 2026-01-02T10:00:00Z, at views.jsonl@0"
	for _, c := range []struct {
		name, view, like, share string
		sentences               map[string]string
	}{
		{name: "ids", view: "id: id", like: "view: view, id: id, ", share: "view: view, id: id, ", sentences: map[string]string{
			"v1": "View v1 of 2026-01-02T10:00:00Z is a positive: the like at views.jsonl@1, 1m later and the share at views.jsonl@2, 2m later, count",
			"e1": "The like at views.jsonl@1 of 2026-01-02T10:01:00Z " + engaged + ", 1m before.",
			"p":  "The view at views.jsonl@3 of 2026-01-02T10:03:00Z is left out: `where` does not let it through.",
			"e3": "The like at views.jsonl@4 " + dead + ".",
		}},
		{name: "keys", view: "id: id, key: user", like: "key: user, id: id, ", share: "key: user, ", sentences: map[string]string{
			"v1": "View v1 of 2026-01-02T10:00:00Z is a positive: the like at views.jsonl@1, 1m later and the share at views.jsonl@2, 2m later, count",
			"e1": "The like at views.jsonl@1 of 2026-01-02T10:01:00Z " + engaged + ", 1m before.",
			// It has no id as an engagement, and is the record that has it.
			"e2": "The share at views.jsonl@2 of 2026-01-02T10:02:00Z " + engaged + ", 2m before.",
			"p":  "The view at views.jsonl@3 of 2026-01-02T10:03:00Z is left out: `where` does not let it through.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "views: " + role("view", c.view) + "\nengagements:\n  like: " + role("like", c.like+"window: 30m, label: count") + "\n  share: " + role("share", c.share+"window: 30m, label: count") + "\n" + outputs
			r := newRig(t, log, nil, text).join()
			for id, want := range c.sentences {
				found := r.why(id)
				require.True(t, strings.HasPrefix(found.Sentence, want), "%s: %s", id, found.Sentence)
				places := map[string]bool{}
				for _, one := range found.Records {
					require.False(t, places[one.String()], "%s: %s is told twice", id, one.Place)
					places[one.String()] = true
				}
			}
		})
	}
}
