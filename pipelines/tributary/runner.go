package main

import (
	"slices"

	"tributary/runners"
	_ "tributary/runners/direct" // registers itself
	"tributary/runners/flink"
	_ "tributary/runners/prism" // registers itself
)

// Names of runners that commands treat by themselves: Flink takes options, and intervals are joined one after another where the
// runner is direct.
const (
	flinkRunner  = "flink"
	directRunner = "direct"
)

// runnerNames are those of all runners, the usual one first.
func runnerNames() []string {
	return append([]string{flinkRunner}, slices.DeleteFunc(runners.Names(), func(name string) bool { return name == flinkRunner })...)
}

// on is the runner that was asked for.
func (r *streamRun) on() runners.Runner {
	if r.runner == flinkRunner {
		return flink.Runner{Options: r.flink}
	}
	return runners.Get(r.runner)
}
