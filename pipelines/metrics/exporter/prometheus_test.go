package exporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/metrics"
)

// prometheus holds rules and dashboard against Prometheus' parser and engine, which are in a module of their own. Scrapes are those of the
// stream before it began and after it had come to an end, with those of the worker that this process was.
func (r *rig) prometheus(t *testing.T, e *Exporter) {
	dir := t.TempDir()
	write := func(name string, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	table, err := json.Marshal(metrics.Table())
	require.NoError(t, err)
	write("metrics.json", table)
	write("rules.yaml", metrics.Rules())
	write("dashboard.json", metrics.Dashboard())
	alerts, err := os.ReadFile(filepath.Join("..", "testdata", "alerts.yaml"))
	require.NoError(t, err)
	write("alerts.yaml", alerts)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "scrapes"), 0o700))
	write(filepath.Join("scrapes", "00.txt"), r.before)
	write(filepath.Join("scrapes", "01.txt"), scraped(t, e))

	run := exec.CommandContext(t.Context(), "go", "test", "-count=1", ".")
	run.Dir = filepath.Join("..", "..", "..", ".ci", "prometheus")
	run.Env = append(os.Environ(), "GOFLAGS=", "TRIBUTARY_METRICS="+dir)
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// scraped is what scrapes of an exporter and a worker give.
func scraped(t *testing.T, e *Exporter) []byte {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, e.Text(t.Context(), &text))
	families, err := metrics.NewWorker("v7").Registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		_, err := expfmt.MetricFamilyToText(&text, family)
		require.NoError(t, err)
	}
	return fmt.Appendln(text.Bytes())
}
