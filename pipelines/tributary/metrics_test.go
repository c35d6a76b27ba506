package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/metrics"
)

// TestPlaybooksNameCommands: what a playbook says to type is there, with its flags.
func TestPlaybooksNameCommands(t *testing.T) {
	form := regexp.MustCompile(`\btributary ([a-z]+)((?: (?:[A-Z-]+|status|resume|on|with|[a-z]+|--[a-z-]+))*)`)
	flag := regexp.MustCompile(`--([a-z-]+)`)
	found := 0
	for _, a := range metrics.Alerts {
		for _, text := range append(append([]string{a.Means}, a.Look...), a.Do...) {
			for _, m := range form.FindAllStringSubmatch(text, -1) {
				cmd, _, err := rootCmd().Find([]string{m[1]})
				require.NoError(t, err, "%s: %s", a.Name, m[0])
				found++
				if m[1] == "job" {
					continue // its flags are those of its own commands
				}
				for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
					assert.NotNil(t, cmd.Flags().Lookup(f[1]), "%s: tributary %s has no --%s", a.Name, m[1], f[1])
				}
			}
		}
	}
	require.Greater(t, found, 15)
}
