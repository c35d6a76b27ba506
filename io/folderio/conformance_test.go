package folderio

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/fileio/fileiotest"
	_ "tributary/io/format/jsonl"
	"tributary/io/iotest"
)

// TestConformance runs the suite for sinks: each group a file, and groups put together; processes of one run, and
// each of a run that goes on from the log; on local disks.
func TestConformance(t *testing.T) {
	for name, of := range map[string]*folderTarget{
		"a file each":           {},
		"a file each, resumed":  {resumes: true},
		"put together":          {c: Config{Compact: 2000, Hourly: true}},
		"put together, resumed": {c: Config{Compact: 2000}, resumes: true},
	} {
		conformance(t, name, of, 1, quickFolder)
	}
}

// TestCloudConformance does it in a bucket, where it takes longer the more the bucket holds.
func TestCloudConformance(t *testing.T) {
	fileiotest.StartEmulator(t)
	n := 0
	bucket := func(testing.TB) string {
		n++
		return fmt.Sprintf("gs://bucket/%d", n)
	}
	conformance(t, "a file each, resumed", &folderTarget{resumes: true}, 5, bucket)
	conformance(t, "put together", &folderTarget{c: Config{Compact: 2000}}, 7, bucket)
}

// TestAzureConformance does it in a container of Azure.
func TestAzureConformance(t *testing.T) {
	fileiotest.StartAzure(t)
	n := 0
	container := func(testing.TB) string {
		n++
		return fmt.Sprintf("az://bucket/%d", n)
	}
	conformance(t, "put together, resumed", &folderTarget{c: Config{Compact: 2000}, resumes: true}, 41, container)
}

// quickFolder is in memory if it can be: hundreds of processes wait for a disk otherwise.
func quickFolder(t testing.TB) string {
	folder, err := os.MkdirTemp("/dev/shm", "folderio") //nolint:usetesting // which is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	return folder
}

func conformance(t *testing.T, name string, of *folderTarget, every int, folder func(testing.TB) string) {
	t.Run(name, func(t *testing.T) {
		iotest.RunSink(t, iotest.Sink{Every: every, New: func(t testing.TB) iotest.Target {
			target := &folderTarget{c: of.c, resumes: of.resumes, acks: map[place]Written{}}
			target.c.Path, target.c.Job, target.c.Format, target.c.Codec, target.c.Step, target.c.Shards = folder(t)+"/samples", "job", "json", "none", 1, 2
			p, err := Begin(t.Context(), target.c)
			require.NoError(t, err)
			target.c.FencingEpoch = p.FencingEpoch
			return target
		}})
	})
}

// folderTarget is a folder.
type folderTarget struct {
	c Config
	// resumes has each process go on from the log; else they are of one run.
	resumes bool

	mu sync.Mutex
	// acks are what was acknowledged in the run: what a runner keeps until it is put together.
	acks map[place]Written
}

func (f *folderTarget) Open(t testing.TB, s *iotest.Steps) iotest.Process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.resumes {
		p, err := Recover(t.Context(), f.c, NoID)
		require.NoError(t, err)
		f.c.FencingEpoch, f.acks = p.FencingEpoch, map[place]Written{}
	}
	p := &folderProcess{target: f, w: NewWriter(f.c), acks: f.acks}
	p.w.steps.around = func(do func() error) error { return p.step(s, do) }
	return p
}

// jsonRecord is a record in a file.
type jsonRecord struct{ Key, Value string }

func (f *folderTarget) Read(t testing.TB) (all []iotest.Record) { return readRecords(t, f.c.Path) }

// readRecords reads what is in a folder, as those do that list it.
func readRecords(t testing.TB, folder string) (all []iotest.Record) {
	t.Helper()
	files, err := steps{}.list(t.Context(), folder, "**")
	require.NoError(t, err)
	for _, file := range files {
		require.NotContains(t, file.Path, "_tributary")
		content, err := fileio.ReadFile(t.Context(), file.Path)
		require.NoError(t, err)
		lines := bufio.NewScanner(strings.NewReader(string(content)))
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var r jsonRecord
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			all = append(all, iotest.Record(r))
		}
		require.NoError(t, lines.Err())
	}
	return all
}

// folderProcess is a process that writes. Its steps are what it asks of the store.
type folderProcess struct {
	target *folderTarget
	w      *Writer
	acks   map[place]Written

	mu   sync.Mutex
	dead bool
}

var (
	errDied     = errors.New("the process has ended")
	errRefused  = errors.New("the store refuses it")
	errNoAnswer = errors.New("the store does not answer")
)

func (p *folderProcess) step(s *iotest.Steps, do func() error) error {
	p.mu.Lock()
	dead := p.dead
	p.mu.Unlock()
	if dead {
		return errDied
	}
	fate := s.Next()
	switch fate {
	case iotest.Refused:
		return errRefused
	case iotest.DiesBefore:
		return p.die()
	case iotest.Slow:
		time.Sleep(5 * time.Millisecond) // the store's
	case iotest.Done, iotest.Unanswered, iotest.DiesAfter:
	}
	err := do()
	if fate == iotest.DiesAfter {
		return p.die()
	}
	if fate == iotest.Unanswered {
		return errNoAnswer
	}
	return err
}

func (p *folderProcess) die() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	return errDied
}

// Write does what the DoFns do with a bundle, and puts together what is acknowledged by then.
func (p *folderProcess) Write(ctx context.Context, groups []iotest.Group) (acknowledged int, refused []iotest.Record, err error) {
	b := p.w.Bundle()
	defer b.Abort(ctx)
	for _, g := range groups {
		for i, part := range partsOf(g) {
			if whole, err := b.Add(ctx, part); err != nil || whole != (i == 1) {
				return 0, nil, errors.Join(err, ctx.Err())
			}
		}
	}
	acks, err := b.Publish(ctx)
	if err != nil {
		return 0, nil, err
	}
	if p.w.c.Compact > 0 {
		err = p.putTogether(ctx, acks)
	}
	return len(acks), nil, err
}

func (p *folderProcess) putTogether(ctx context.Context, acks []Written) error {
	p.target.mu.Lock()
	type interval struct {
		shard int32
		from  int64
	}
	all := map[interval][]Written{}
	for _, ack := range acks {
		p.acks[place{ack.Shard, ack.ID}] = ack
	}
	for _, ack := range p.acks {
		from, _ := p.w.c.interval(ack.ID)
		all[interval{ack.Shard, from}] = append(all[interval{ack.Shard, from}], ack)
	}
	p.target.mu.Unlock()
	for _, key := range slices.SortedFunc(maps.Keys(all), func(a, b interval) int { return int(a.from - b.from) }) {
		if _, err := p.w.Compact(ctx, all[key]); err != nil {
			return err
		}
	}
	return nil
}

func (p *folderProcess) Close() {}

// partsOf is a group in two parts.
func partsOf(g iotest.Group) []Group {
	out := []Group{{Shard: g.Shard, ID: g.ID}, {Shard: g.Shard, ID: g.ID, Part: 1, Last: true}}
	for i, r := range g.Records {
		text, _ := json.Marshal(jsonRecord(r)) // of strings
		part := &out[min(i, 1)]
		part.Records = AppendRecord(part.Records, text)
	}
	return out
}
