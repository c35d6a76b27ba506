package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// oursOnFlink joins on a cluster of this machine, with the worker in the process that submits. Its processor time is that of
// all processes of the cluster as well; its peak that of the worker and of the TaskManager.
func oursOnFlink(cluster services.Service) *contestant {
	var at services.Address
	var processes []process
	run := func(ctx context.Context, in *batchInput, out string) (Turn, error) {
		spec, err := in.specInto(out)
		if err != nil {
			return Turn{}, err
		}
		return measured(exec.CommandContext(ctx, os.Args[0], joinCommand, spec, string(at))) //nolint:gosec // itself
	}
	c := ours()
	c.Name = "tributary, Flink"
	c.prepare = func(ctx context.Context, in *batchInput) (err error) {
		if at, err = cluster.Start(ctx); err != nil {
			return err
		}
		group, err := cluster.PID("pid")
		if err != nil {
			return err
		}
		if processes, err = inGroup(group); err != nil {
			return err
		}
		out, err := in.out()
		if err == nil {
			_, err = run(ctx, in, out) // so that Flink's code is compiled
		}
		return err
	}
	c.join = func(ctx context.Context, in *batchInput, out string) (Turn, error) {
		before, err := cpu(processes)
		if err != nil {
			return Turn{}, err
		}
		if err := forgetPeaks(processes); err != nil {
			return Turn{}, err
		}
		turn, err := run(ctx, in, out)
		if err != nil {
			return turn, err
		}
		after, err := cpu(processes)
		if err != nil {
			return turn, err
		}
		memory, err := peaks(processes)
		turn.CPUSeconds += after.since(before).total().Seconds()
		turn.Peak += memory["taskmanager"]
		return turn, err
	}
	c.close = func(ctx context.Context) error { return errors.Join(cluster.Stop(ctx), os.RemoveAll(cluster.Data)) }
	return c
}

// atFlink are the options of a join on a cluster.
func atFlink(at services.Address) flink.Options {
	return flink.Options{
		JobServer: at.Part("jobserver"), REST: at.Part("rest"), Name: fmt.Sprintf("bench-%d", os.Getpid()), Parallelism: 2,
	}.Bounded()
}
