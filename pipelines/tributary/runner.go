package main

import (
	"tributary/runners"
	"tributary/runners/direct"
	"tributary/runners/flink"
	"tributary/runners/prism"
)

// Names of runners.
const (
	flinkRunner  = "flink"
	prismRunner  = "prism"
	directRunner = "direct"
)

// on is the runner that was asked for.
func (r *streamRun) on() runners.Runner {
	switch r.runner {
	case prismRunner:
		return prism.Runner{}
	case directRunner:
		return direct.Runner{}
	default:
		return flink.Runner{Options: r.flink}
	}
}
