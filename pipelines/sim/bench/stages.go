package main

import (
	"strings"
	"time"

	"tributary/pipelines/spec"
)

// stage is a time after each view at which it gets a sample. The spec has after alone; the others are what the spec then takes.
type stage struct {
	after, outOfOrderness, bucket time.Duration
}

var (
	oneStage   = []stage{{logWindow, outOfOrderness, logBucket}}
	logStages  = []stage{{10 * time.Second, time.Second, time.Second}, {time.Minute, outOfOrderness, 5 * time.Second}, {logWindow, outOfOrderness, logBucket}}
	liveStages = []stage{{5 * time.Second, time.Second, 500 * time.Millisecond}, {10 * time.Second, time.Second, time.Second}, {liveWindow, outOfOrderness, liveBucket}}
)

// name is how samples call it.
func (s stage) name() string { return spec.FormatDuration(s.after) }

// stagesLine is what a spec says of stages: nothing without any.
func stagesLine(stages []stage) string {
	if len(stages) == 0 {
		return ""
	}
	var names []string
	for _, s := range stages {
		names = append(names, s.name())
	}
	return "stages: [" + strings.Join(names, ", ") + "]\n"
}
