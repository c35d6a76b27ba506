package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// controlDir holds the control; the benchmark runs in the folder of the module.
const controlDir = "testdata/control"

// controlEnv is what join.sql of the control is filled in with.
func controlEnv(brokers string, j job) []string {
	backend := "rocksdb"
	if j.heap {
		backend = "hashmap"
	}
	// An interval of SQL: days, hours, minutes and seconds.
	interval := func(d time.Duration) string {
		return fmt.Sprintf("0 %02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	env := []string{
		"BROKERS=" + brokers, "VIEWS=" + j.from.views, "ENGAGEMENTS=" + j.from.engagements, "SAMPLES=" + j.name,
		"PARALLELISM=" + strconv.Itoa(j.parallelism), "BACKEND=" + backend, "CHECKPOINT=" + spec.FormatDuration(j.checkpoints),
		"OUT_OF_ORDERNESS=" + interval(outOfOrderness), "WINDOW=" + interval(j.window),
	}
	if j.until == nil {
		return append(env, "VIEWS_END=", "ENGAGEMENTS_END=")
	}
	return append(env, "VIEWS_END="+scanEnd(j.until.viewEnds), "ENGAGEMENTS_END="+scanEnd(j.until.engagementEnds))
}

// scanEnd is where the control's source stops.
func scanEnd(ends [partitions]int64) string {
	parts := make([]string, len(ends))
	for p, end := range ends {
		parts[p] = fmt.Sprintf("partition:%d,offset:%d", p, end)
	}
	return "'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = '" + strings.Join(parts, ";") + "',"
}

// submitControl starts the SQL job.
func (s *servers) submitControl(ctx context.Context, j job) (*flinkJob, error) {
	if err := s.broker.create(ctx, j.name); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(controlDir, "control.sh"), filepath.Join(controlDir, "join.sql"), s.control.rest)
	cmd.Env = append(os.Environ(), controlEnv(s.broker.address, j)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	log, err := os.Create(filepath.Join(s.dir, j.name+".log"))
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the control: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	id, ok := strings.CutPrefix(strings.TrimSpace(line), "job ")
	if err != nil || !ok {
		_ = cmd.Wait() // its log tells more
		return nil, fmt.Errorf("start the control: it has no job; see %s", log.Name())
	}
	client, err := flink.NewClient(s.control.rest)
	if err != nil {
		return nil, err
	}
	return &flinkJob{id: id, client: client, rest: s.control.rest, stopped: func() {
		_ = cmd.Wait() // a cancelled job is a failure to it
		_ = log.Close()
	}}, nil
}
