package chaos

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAudit(t *testing.T) {
	want := map[string]Sample{
		"v1": {Value: "one", Time: 10, Mature: true},
		"v2": {Value: "two", Time: 20, Mature: true},
		"v3": {Value: "three", Time: 30, Mature: true},
		"v4": {Value: "cut short", Time: 40},
	}
	for _, test := range []struct {
		name    string
		found   [][2]string
		missing []string // before 30
		wrong   string   // in the error, none if empty
	}{
		{name: "all", found: [][2]string{{"v3", "three"}, {"v1", "one"}, {"v2", "two"}}},
		{name: "the rest is not due yet", found: [][2]string{{"v2", "two"}, {"v1", "one"}}},
		{name: "lost before one that is there", found: [][2]string{{"v2", "two"}, {"v3", "three"}}, missing: []string{"v1"}},
		{name: "lost after one that is there", found: [][2]string{{"v1", "one"}}, missing: []string{"v2"}},
		{name: "doubled", found: [][2]string{{"v1", "one"}, {"v2", "two"}, {"v1", "one"}}, wrong: "1 samples are there more than once: v1 at 10, 2 times"},
		{name: "three times", found: [][2]string{{"v1", "one"}, {"v2", "two"}, {"v1", "one"}, {"v1", "one"}}, wrong: "v1 at 10, 3 times"},
		{name: "other bytes", found: [][2]string{{"v1", "ONE"}, {"v2", "two"}}, wrong: "1 samples differ from the batch's: v1"},
		{name: "of no view", found: [][2]string{{"v1", "one"}, {"v2", "two"}, {"v9", "nine"}}, wrong: "1 samples are of views that the batch does not know: v9"},
		{name: "cut short by the batch alone", found: [][2]string{{"v1", "one"}, {"v2", "two"}, {"v4", "whole"}}},
		{name: "cut short, doubled", found: [][2]string{{"v1", "one"}, {"v2", "two"}, {"v4", "whole"}, {"v4", "whole"}}, wrong: "v4 at 40, 2 times"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := NewAudit(want)
			assert.Equal(t, []string{"v1", "v2"}, a.Missing(30))
			assert.Equal(t, []string{"v1", "v2", "v3"}, a.Missing(math.MaxInt64))
			for _, sample := range test.found {
				a.Take(sample[0], sample[1])
			}
			assert.Equal(t, test.missing, a.Missing(30))
			if test.wrong == "" {
				require.NoError(t, a.Err())
			} else {
				require.ErrorContains(t, a.Err(), test.wrong)
			}
		})
	}
}
