package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
)

// BatchReport is what was measured of joins of files.
type BatchReport struct {
	Processors int   `json:"processors"`
	Events     int64 `json:"events"`
	// Answer is what all contestants gave.
	Answer answer         `json:"answer"`
	Rows   []*BatchResult `json:"contestants"`

	in *batchInput
}

// BatchResult is a contestant with its turns.
type BatchResult struct {
	Contestant
	Turns []Turn `json:"turns"`
}

// Turn is one join of all files.
type Turn struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	// Peak is the largest resident memory in bytes.
	Peak int64 `json:"peak_bytes"`

	answer answer
}

func newBatchReport(in *batchInput) *BatchReport {
	return &BatchReport{Processors: runtime.NumCPU(), Events: in.events, in: in}
}

func (r *BatchReport) add(c *contestant, t Turn) {
	r.Answer = t.answer
	i := slices.IndexFunc(r.Rows, func(row *BatchResult) bool { return row.Contestant == c.Contestant })
	if i < 0 {
		i = len(r.Rows)
		r.Rows = append(r.Rows, &BatchResult{Contestant: c.Contestant})
	}
	r.Rows[i].Turns = append(r.Rows[i].Turns, t)
}

// middle is the turn with the middle processor time, and the memory of the largest.
func (b *BatchResult) middle() Turn {
	turns := slices.SortedFunc(slices.Values(b.Turns), func(x, y Turn) int { return cmp.Compare(x.CPUSeconds, y.CPUSeconds) })
	out := turns[(len(turns)-1)/2]
	for _, t := range turns {
		out.Peak = max(out.Peak, t.Peak)
	}
	return out
}

func (r *BatchReport) table() table.Writer {
	t := newTable(fmt.Sprintf("%s events, %s of %s samples positive", thousands(float64(r.Events)), thousands(float64(r.Answer.Positives)), thousands(float64(r.Answer.Samples))),
		"from, to", "turns", "events/s", "CPU s per million", "against the first", "peak memory, GB")
	first := r.Rows[0].middle()
	for _, row := range r.Rows {
		m := row.middle()
		t.AppendRow(table.Row{
			row.Name, row.From + ", " + row.To, len(row.Turns), thousands(float64(r.Events) / m.Seconds),
			fmt.Sprintf("%.2f", m.CPUSeconds/float64(r.Events)*1e6), fmt.Sprintf("%.2f ×", m.CPUSeconds/first.CPUSeconds), fmt.Sprintf("%.2f", float64(m.Peak)/1e9),
		})
	}
	return t
}

// omissions tells what each contestant does with what the figures do not show.
func (r *BatchReport) omissions() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what becomes of", "duplicates", "late records", "accounts", "an id is"})
	for _, row := range r.Rows {
		t.AppendRow(table.Row{row.Name, row.Duplicates, row.Late, row.Accounts, row.IDs})
	}
	return t
}
