package generate

import (
	"fmt"
	"strings"

	"tributary/pipelines/spec"
)

// specYAML is the spec that joins what c makes; its paths are relative to Config.Out.
func specYAML(c *Config) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	input := func(dir string) string {
		if c.Order == OrderNone {
			return dir + "/*.avro"
		}
		return fmt.Sprintf("{path: %s/*.avro, order: %s}", dir, c.Order)
	}
	line("# Joins the data beside it; truth/ and truth.json say what must come out.")
	line("version: 1")
	line("views:")
	line("  inputs:")
	if c.Evolve {
		line("    - path: %s/*.avro", viewsDir)
		line("      schema: %s # older files are read as this", viewSchemaFile)
		line("      order: %s", c.Order)
	} else {
		line("    - %s", input(viewsDir))
	}
	line("  id: view_id")
	line("  time: ts")
	line("  dedup_window: %s", spec.FormatDuration(c.DuplicatesWithin))
	line("engagements:")
	for _, k := range c.Kinds {
		line("  %s:", k.Name)
		line("    inputs:")
		line("      - %s", input(engagementsDir))
		line("    where: {kind: %s}", k.Name)
		line("    view: view_id")
		line("    time: ts")
		if c.ViewTime {
			line("    view_time: view_ts")
		}
		line("    id: event_id")
		line("    window: %s", spec.FormatDuration(k.Window))
		if k.Amount > 0 {
			line("    label: {sum: amount}")
		}
	}
	// Without an order nothing is late, and the default would do; another value still tells
	// how far from its view an engagement outside the window is no orphan yet.
	if c.Order == OrderFile || c.OutOfOrderness != spec.DefaultOutOfOrderness {
		line("out_of_orderness: %s", spec.FormatDuration(c.OutOfOrderness))
	}
	line("clock_skew: %s", spec.FormatDuration(c.ClockSkew))
	line("outputs:")
	line("  samples: out/samples")
	return []byte(b.String())
}
