package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// contestant is one of what joins the files.
type contestant struct {
	Contestant
	// once is for those that take many times as long as the others.
	once bool
	// long is for those that join the log with long windows, too.
	long bool
	// prepare, if not nil, makes what only this one reads; it is not measured.
	prepare func(context.Context, *batchInput) error
	// close, if not nil, ends what prepare has started.
	close func(context.Context) error
	// join joins the input into a folder.
	join func(ctx context.Context, in *batchInput, out string) (Turn, error)
	// answer reads what was written there.
	answer func(ctx context.Context, out string) (answer, error)
}

// Contestant says what one is, and what it leaves out.
type Contestant struct {
	Name string `json:"name"`
	// From and To are the formats of what is read and written.
	From string `json:"from"`
	To   string `json:"to"`
	// What becomes of duplicates, of late records, of what is in no sample, and when ids are the same.
	Duplicates string `json:"duplicates"`
	Late       string `json:"late"`
	Accounts   string `json:"accounts"`
	IDs        string `json:"ids"`
}

// turn has the contestant join the input once, and checks what it gave.
func (c *contestant) turn(ctx context.Context, in *batchInput) (Turn, error) {
	out, err := in.out()
	if err != nil {
		return Turn{}, err
	}
	turn, err := c.join(ctx, in, out)
	if err != nil {
		return turn, err
	}
	got, err := c.answer(ctx, out)
	if err != nil {
		return turn, fmt.Errorf("read what it wrote: %w", err)
	}
	turn.answer = got
	return turn, in.check(got)
}

// Limits of each contestant. DuckDB spills what is over; Go only collects garbage sooner.
const batchThreads, batchMemory = "2", "2GB"

// contestants are those whose names contain that; flink is the cluster for the one that needs it.
func contestants(ctx context.Context, only string, flink services.Service) ([]*contestant, error) {
	readers, err := services.Service{Name: "readers", Data: os.TempDir(), Log: os.Stderr}.Start(ctx)
	if err != nil {
		return nil, err
	}
	script := exec.CommandContext(ctx, filepath.Join(controlDir, "duckdb.sh"), "start") //nolint:gosec // of this repository
	script.Stderr = os.Stderr
	avro, err := script.Output()
	if err != nil {
		return nil, fmt.Errorf("DuckDB with Avro: %w", err)
	}
	var out []*contestant
	for _, c := range []*contestant{
		ours(),
		oursOnFlink(flink),
		duckDB("DuckDB 2.0.1", "parquet", string(readers), strings.TrimSpace(string(avro))),
		duckDB("DuckDB 1.5.5", "avro", strings.TrimSpace(string(avro)), ""),
	} {
		if strings.Contains(c.Name, only) {
			out = append(out, c)
		}
	}
	return out, nil
}

// joinCommand as the first argument makes this program join a spec, as `tributary join` does, so that it can be
// measured as a process of its own.
const joinCommand = "join"

func ours() *contestant {
	return &contestant{
		Contestant: Contestant{
			Name: "tributary, direct", From: "avro", To: "avro",
			Duplicates: "left out, counted", Late: "set aside, by the clock of the partition", Accounts: "of every record, must balance", IDs: "the bytes, or the number",
		},
		long: true,
		join: func(ctx context.Context, in *batchInput, out string) (Turn, error) {
			spec, err := in.specInto(out)
			if err != nil {
				return Turn{}, err
			}
			return measured(exec.CommandContext(ctx, os.Args[0], joinCommand, spec)) //nolint:gosec // itself
		},
		answer: func(_ context.Context, out string) (answer, error) { return readSamples(filepath.Join(out, "samples")) },
	}
}

// runJoin is this program as a join of a spec, on the Flink at an address unless that is empty.
func runJoin(ctx context.Context, path string, at services.Address) error {
	s, err := spec.Load(path)
	if err != nil {
		return err
	}
	opt := batch.Options{Again: true}
	if at != "" {
		opt.Runner = flink.Runner{Options: atFlink(at)}
	}
	_, err = batch.Run(ctx, s, opt)
	return err
}

// duckDB joins files of a format by a Python that has it. converter, if not empty, is one that makes them.
func duckDB(name, format, python, converter string) *contestant {
	file := "samples." + format
	call := func(ctx context.Context, python string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, python, append([]string{filepath.Join(controlDir, "backfill.py")}, args...)...) //nolint:gosec // of this repository
		cmd.Env = append(os.Environ(), "THREADS="+batchThreads, "MEMORY="+batchMemory)
		return cmd
	}
	c := &contestant{
		Contestant: Contestant{
			Name: name, From: format, To: format,
			Duplicates: "a view that came twice is two samples", Late: "joined", Accounts: "none", IDs: "the text",
		},
		once: format == "avro",
		join: func(ctx context.Context, in *batchInput, out string) (Turn, error) {
			return measured(call(ctx, python, "join", in.dir, format, filepath.Join(out, file), fmt.Sprintf("%d seconds", in.log.Window/time.Second), filepath.Join(out, "tmp")))
		},
		answer: func(ctx context.Context, out string) (got answer, err error) {
			cmd := call(ctx, python, "answer", filepath.Join(out, file))
			cmd.Stderr = os.Stderr
			text, err := cmd.Output()
			if err != nil {
				return got, err
			}
			_, err = fmt.Sscan(string(text), &got.Samples, &got.Positives, &got.DelayMs)
			return got, err
		},
	}
	if converter != "" {
		c.prepare = func(ctx context.Context, in *batchInput) error {
			if _, err := os.Stat(filepath.Join(in.dir, "parquet", "done")); err == nil {
				return nil
			}
			if _, err := measured(call(ctx, converter, "convert", in.dir)); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(in.dir, "parquet", "done"), nil, 0o600)
		}
	}
	return c
}

// measured runs a process to its end, and tells what it took.
//
// Its peak is at least that of this process, which it begins as: nothing large is held here.
func measured(cmd *exec.Cmd) (Turn, error) {
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+batchThreads, "GOMEMLIMIT="+strings.Replace(batchMemory, "GB", "GiB", 1))
	}
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		return Turn{}, err
	}
	state := cmd.ProcessState
	usage := state.SysUsage().(*syscall.Rusage) //nolint:forcetypeassert // it is that on all systems with /proc
	return Turn{
		Seconds: time.Since(begun).Seconds(), CPUSeconds: (state.UserTime() + state.SystemTime()).Seconds(), Peak: usage.Maxrss << 10,
	}, nil
}
