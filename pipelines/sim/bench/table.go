package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// markdown is the report for people, in tables that a README can take as they are.
func (r *Report) markdown() string {
	parts := []string{fmt.Sprintf("%d processors for everything, the broker included.", r.Processors)}
	if r.IdleCluster > 0 {
		parts[0] += fmt.Sprintf(" A cluster with a worker and no job takes %.3f of one.", r.IdleCluster)
	}
	for _, t := range []table.Writer{r.throughputTable(), r.ratioTable(), r.stagesTable(), r.processTable(), r.stateTable(), r.delayTable(), r.stageDelayTable()} {
		if t.Length() > 0 {
			parts = append(parts, t.RenderMarkdown())
		}
	}
	for _, text := range []string{r.costText(), r.scaleText()} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n\n") + "\n"
}

// newTable makes a table whose columns but the first hold figures.
func newTable(columns ...any) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(columns)
	var configs []table.ColumnConfig
	for i := 2; i <= len(columns); i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	return t
}

func (r *Report) throughputTable() table.Writer {
	t := newTable("the log, from first event to last", "parallelism", "events", "seconds", "events/s", "CPU s per million", "events per CPU s", "checkpoints, MB per million", "peak memory, GB")
	for _, m := range r.Throughput {
		peak := int64(0)
		for _, bytes := range m.Peak {
			peak += bytes
		}
		t.AppendRow(table.Row{
			m.System, m.Parallelism, thousands(float64(m.Events)), fmt.Sprintf("%.1f", m.Seconds), thousands(m.EventsPerSecond()),
			short(m.CPUPerMillion()), thousands(1e6 / m.CPUPerMillion()),
			fmt.Sprintf("%.0f", float64(m.Checkpoints.Uploaded)/float64(m.Events)), fmt.Sprintf("%.1f", float64(peak)/1e9),
		})
	}
	return t
}

// ratioTable holds ours against each control, and against what joins nothing.
func (r *Report) ratioTable() table.Writer {
	t := newTable("tributary against", "parallelism", "events/s", "events per CPU s")
	for _, parallelism := range r.parallelisms() {
		ours := r.of(oursName, parallelism)
		for _, name := range slices.Concat(controlNames, floorNames) {
			other := r.of(name, parallelism)
			if ours == nil || other == nil {
				continue
			}
			t.AppendRow(table.Row{name, parallelism, times(ours.EventsPerSecond() / other.EventsPerSecond()), times(other.CPUPerMillion() / ours.CPUPerMillion())})
		}
	}
	return t
}

// stagesTable holds ours with stages against ours without.
func (r *Report) stagesTable() table.Writer {
	t := newTable("stages against none", "parallelism", "CPU", "state")
	for _, parallelism := range r.parallelisms() {
		plain := r.of(oursName, parallelism)
		for _, name := range stagedNames {
			staged := r.of(name, parallelism)
			if plain == nil || staged == nil {
				continue
			}
			state := ""
			if with, without := r.stateOf(name), r.stateOf(oursName); with != nil && without != nil {
				state = fmt.Sprintf("%.2f ×", with.PerView()/without.PerView())
			}
			t.AppendRow(table.Row{name, parallelism, fmt.Sprintf("%.2f ×", staged.CPUPerMillion()/plain.CPUPerMillion()), state})
		}
	}
	return t
}

// processNames are the processes of a side.
var processNames = []string{"jobmanager", "taskmanager", "jobserver", "worker", programProcess}

func (r *Report) processTable() table.Writer {
	t := newTable("CPU s per million events", "parallelism", "JobManager", "TaskManager", "job server", "worker", "one process", "sum", "Kafka, apart")
	for _, m := range r.Throughput {
		row := table.Row{m.System, m.Parallelism}
		for _, part := range processNames {
			cell := ""
			if used, ok := m.CPU[part]; ok {
				cell = short(used / float64(m.Events) * 1e6)
			}
			row = append(row, cell)
		}
		t.AppendRow(append(row, short(m.CPUPerMillion()), short(m.BrokerCPU/float64(m.Events)*1e6)))
	}
	return t
}

func (r *Report) stateTable() table.Writer {
	t := newTable("state at the end of a log that goes on", "open views", "checkpoint, MB", "bytes per open view", "CPU of the idle job, cores")
	for _, m := range r.State {
		t.AppendRow(table.Row{m.System, thousands(float64(m.OpenViews)), fmt.Sprintf("%.1f", float64(m.State)/1e6), fmt.Sprintf("%.0f", m.PerView()), fmt.Sprintf("%.3f", m.IdleCPU)})
	}
	return t
}

func (r *Report) delayTable() table.Writer {
	t := newTable("live, at a quarter of the rate", "events/s", "after the window closes: p50", "p99", "after the bucket closes: p50", "p99", "CPU, cores")
	for _, m := range r.Delay {
		if m.Stage != "" {
			continue
		}
		bucket := []any{"", ""}
		if m.System == oursName {
			bucket = []any{seconds(m.AfterBucket.P50), seconds(m.AfterBucket.P99)}
		}
		row := table.Row{m.System, thousands(m.EventsPerSecond), seconds(m.AfterWindow.P50), seconds(m.AfterWindow.P99)}
		t.AppendRow(append(append(row, bucket...), fmt.Sprintf("%.2f", m.CPUPerSecond)))
	}
	return t
}

// stageDelayTable is of ours with stages.
func (r *Report) stageDelayTable() table.Writer {
	t := newTable("live, in stages", "stage", "events/s", "samples", "after the view: p50", "p99", "after the bucket closes: p50", "p99", "CPU, cores")
	for _, m := range r.Delay {
		if m.Stage != "" {
			t.AppendRow(table.Row{
				m.System, m.Stage, thousands(m.EventsPerSecond), thousands(float64(m.Samples)), hundredths(m.AfterView.P50), hundredths(m.AfterView.P99),
				hundredths(m.AfterBucket.P50), hundredths(m.AfterBucket.P99), fmt.Sprintf("%.2f", m.CPUPerSecond),
			})
		}
	}
	return t
}

func seconds(s float64) string { return fmt.Sprintf("%.1f s", s) }

// hundredths is for delays below a second.
func hundredths(s float64) string { return fmt.Sprintf("%.2f s", s) }

func times(ratio float64) string { return short(ratio) + " ×" }

// short is a number to one place, or to two if it is below 1.
func short(f float64) string {
	if f != 0 && f < 1 {
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.1f", f)
}

// thousands is a number in groups of three digits.
func thousands(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
