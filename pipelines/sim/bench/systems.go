package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// system is one of what is compared.
type system struct {
	name   string
	side   *side
	submit func(context.Context, job) (running, error)
	decode decoder
	// want is what it must write of what it reads.
	want  func(truth) outcome
	reads part
	// heap keeps state on the JVM's heap, not in RocksDB.
	heap bool
	// hasState and hasDelay say whether these are measured: what is on the heap has no size of its own.
	hasState, hasDelay bool
	// stages are those of the log, liveStages those of the live stream.
	stages, liveStages []stage
	// shortBuckets: of the live stream alone, with buckets that cost more and bring samples sooner.
	shortBuckets bool
}

// part is what a system reads of the log.
type part int

const (
	// readAll is all of it.
	readAll part = iota
	// readFirst is the control's part, for a system that can be told where to end.
	readFirst
	// readClosed is the control's part in topics of its own, for a system that cannot.
	readClosed
)

const (
	oursName        = "tributary"
	shortName       = "tributary, short buckets"
	oneStageName    = "tributary, 1 stage"
	threeStagesName = "tributary, 3 stages"
	rocksDBName     = "Flink SQL, RocksDB"
	heapName        = "Flink SQL, heap"
	streamsName     = "Kafka Streams"
	copyName        = "franz-go copy"
	transactedName  = "franz-go copy, transactions"
)

var (
	// controlNames are those that do the same join.
	controlNames = []string{rocksDBName, heapName, streamsName}
	// floorNames are those that join nothing.
	floorNames = []string{copyName, transactedName}
	// stagedNames are ours with stages.
	stagedNames = []string{oneStageName, threeStagesName}
)

// systems are what can be compared, in the order of their turns.
func (s *servers) systems(stages bool) []*system {
	ours := system{side: &s.ours, submit: submitter(s.submitOurs), want: truth.samples, hasState: true, hasDelay: true}
	sql := system{side: &s.control, submit: submitter(s.submitControl), want: truth.samples, decode: decodeControl, reads: readFirst}
	all := []system{ours}
	all[0].name, all[0].decode = oursName, decodeOurs
	short := all[0]
	short.name, short.shortBuckets, short.hasState = shortName, true, false
	all = append(all, short)
	if stages {
		one, three := ours, ours
		one.name, one.decode, one.stages, one.hasDelay = oneStageName, decodeStaged, oneStage, false
		three.name, three.decode, three.stages, three.liveStages = threeStagesName, decodeStaged, logStages, liveStages
		all = append(all, one, three)
	}
	rocksDB, heap := sql, sql
	rocksDB.name, rocksDB.hasState, rocksDB.hasDelay = rocksDBName, true, true
	heap.name, heap.heap = heapName, true
	all = append(all, rocksDB, heap,
		system{name: streamsName, side: &s.streams, submit: submitter(s.submitStreams), want: truth.samples, decode: decodeControl, reads: readClosed, hasDelay: true},
		system{name: copyName, side: &s.copier, submit: submitter(s.submitCopy(false)), want: truth.copies, decode: decodeCopy},
		system{name: transactedName, side: &s.copier, submit: submitter(s.submitCopy(true)), want: truth.copies, decode: decodeCopy},
	)
	out := make([]*system, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

func submitter[R running](submit func(context.Context, job) (R, error)) func(context.Context, job) (running, error) {
	return func(ctx context.Context, j job) (running, error) { return submit(ctx, j) }
}

// choose takes those that were asked for: each of only is the name of one, or a part of the names of several. Nothing asks for all.
func choose(all []*system, only []string) ([]*system, error) {
	asked := map[*system]bool{}
	for _, name := range only {
		i := slices.IndexFunc(all, func(sys *system) bool { return sys.name == name })
		for j, sys := range all {
			asked[sys] = asked[sys] || j == i || i < 0 && strings.Contains(sys.name, name)
		}
		if i < 0 && !slices.ContainsFunc(all, func(sys *system) bool { return strings.Contains(sys.name, name) }) {
			var names []string
			for _, sys := range all {
				names = append(names, fmt.Sprintf("%q", sys.name))
			}
			return nil, fmt.Errorf("--only %q: there is none of that name; there are %s", name, strings.Join(names, ", "))
		}
	}
	if len(only) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(sys *system) bool { return !asked[sys] }), nil
}
