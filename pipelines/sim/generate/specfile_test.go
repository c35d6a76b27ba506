package generate

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/label"
)

func TestSpecSaysWhatTheTruthHoldsFor(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ordered": func(*Config) {},
		"plain":   func(c *Config) { c.Order, c.ViewTime, c.OutOfOrderness = OrderNone, true, time.Minute },
		"evolved": func(c *Config) { c.Evolve = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := everything()
			change(&c)
			dir, _ := made(t, c)
			s, err := spec.Load(filepath.Join(dir, "spec.yaml"))
			require.NoError(t, err)
			assert.Empty(t, s.Warnings)
			assert.Equal(t, c.OutOfOrderness, s.OutOfOrderness)
			assert.Equal(t, c.ClockSkew, s.ClockSkew)
			assert.Equal(t, c.DuplicatesWithin, s.Views.DedupWindow)
			assert.Equal(t, c.Order == OrderFile, s.Views.Inputs[0].Order == spec.OrderFile)
			assert.Equal(t, c.Evolve, s.Views.Inputs[0].Schema != "")
			require.Len(t, s.Engagements, len(c.Kinds))
			windows := map[string]Kind{}
			for _, k := range c.Kinds {
				windows[k.Name] = k
			}
			for _, e := range s.Engagements {
				assert.Equal(t, windows[e.Kind].Window, e.Window)
				assert.Equal(t, c.ViewTime, e.ViewTime != nil)
				assert.Equal(t, e.Kind == "buy", e.Label.Func == label.Sum)
				assert.Equal(t, c.Order == OrderFile, e.Inputs[0].Order == spec.OrderFile)
			}
		})
	}
}
