package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// topicsTimeout bounds the whole command: brokers answer in milliseconds or not at all.
const topicsTimeout = 30 * time.Second

func topicsCmd() *cobra.Command {
	var (
		create, asJSON bool
		rights         bool
		partitions     int32
		replicas       int16
		opt            topics.CreateOptions
	)
	cmd := &cobra.Command{
		Use:   "topics SPEC",
		Short: "List the topics that a spec needs, and create those that are missing",
		Long: `List the topics that a spec needs: which exist, are missing, or have settings that
would lose data. With --create those that are missing are created with settings
that fit; topics that exist are never changed.

Inputs are created only with --inputs as well: a missing input is usually a wrong
name.

With --acls it asks nobody, and prints the commands that grant the least rights that the
job needs: to read inputs, write outputs, commit to its group and open transactions. It may
not create topics, or anything else.`,
		Example: `  tributary topics stream.yaml
  tributary topics stream.yaml --create --partitions 12 --replicas 3
  tributary topics stream.yaml --acls | sh`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opt.Inputs && !create {
				return usageError{errors.New("--inputs does nothing without --create")}
			}
			if rights && create {
				return usageError{errors.New("--acls prints commands and creates nothing: leave out the one or the other")}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			if rights {
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string][]topics.Right{"rights": topics.Rights(s)})
				}
				_, err := fmt.Fprint(cmd.OutOrStdout(), topics.RightsText(s))
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), topicsTimeout)
			defer cancel()
			opt.Partitions, opt.Replicas = partitions, replicas
			var states []topics.State
			if create {
				states, err = topics.Create(ctx, s, opt)
			} else {
				states, err = topics.List(ctx, s)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), map[string][]topics.State{"topics": states})
			} else {
				_, err = fmt.Fprint(cmd.OutOrStdout(), topicsText(args[0], states))
			}
			if err == nil && !allThere(states) {
				return errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&create, "create", false, "create the outputs that are missing")
	flags.BoolVar(&opt.Inputs, "inputs", false, "create the inputs that are missing, too")
	number(flags, &partitions, "partitions", 1, mostNumber, "partitions of new topics that may have any number; the commit log has one for each shard (default: the broker's)")
	number(flags, &replicas, "replicas", 1, 1000, "replicas of new topics (default: the broker's)")
	flags.BoolVar(&rights, "acls", false, "print the commands that grant the least rights, and ask nobody")
	flags.BoolVar(&asJSON, "json", false, "the topics, or the rights, as JSON")
	return cmd
}

func allThere(states []topics.State) bool {
	for _, st := range states {
		if st.Status != topics.Exists && st.Status != topics.Created {
			return false
		}
	}
	return true
}

func topicsText(file string, states []topics.State) string {
	if len(states) == 0 {
		return file + " joins files and needs no topics\n"
	}
	var w strings.Builder
	table := tabwriter.NewWriter(&w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "TOPIC\tROLE\tCLUSTER\tSTATUS\tPARTITIONS\tREPLICAS\tMUST KEEP\n")
	missing := map[bool]int{}
	for _, st := range states {
		partitions, replicas := "-", "-"
		switch {
		case st.HasPartitions > 0:
			partitions, replicas = strconv.Itoa(st.HasPartitions), strconv.Itoa(st.Replicas)
		case st.Partitions > 0:
			partitions = strconv.Itoa(int(st.Partitions))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", st.Name, st.Role, st.Cluster, st.Status, partitions, replicas, needs(&st.Topic))
		if st.Status == topics.Missing {
			missing[st.Output]++
		}
	}
	_ = table.Flush() // a Builder takes everything
	for _, st := range states {
		for _, d := range st.Differences {
			fmt.Fprintf(&w, "%s: %s is %s, and must be %s: %s\n", st.Name, d.Setting, d.Got, d.Want, d.Why)
		}
		if st.Err != "" {
			fmt.Fprintf(&w, "%s: %s\n", st.Name, st.Err)
		}
	}
	if missing[true] > 0 {
		fmt.Fprintf(&w, "%d outputs are missing: tributary topics %s --create\n", missing[true], file)
	}
	if missing[false] > 0 {
		fmt.Fprintf(&w, "%d inputs are missing: correct their names, or tributary topics %s --create --inputs\n", missing[false], file)
	}
	return w.String()
}

// needs says what a topic must keep.
func needs(t *topics.Topic) string {
	switch {
	case t.Compacted:
		return "the last of each key"
	case t.Output:
		return "as long as you like"
	}
	return "at least " + spec.FormatDuration(t.Retention.Round(time.Second))
}
