package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tributary/runners/flink"
)

func jobCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "job list|status|stop|cancel|resume",
		Short: "Manage jobs on a Flink cluster",
		Long: `Manage jobs on a Flink cluster, by its REST interface. A job is named by its id, by the
beginning of its id, or by its name while only one of that name runs.`,
		Example: `  tributary job list
  tributary job status feed
  tributary job stop feed --savepoint-dir gs://bucket/savepoints
  tributary job resume feed.yaml --worker 127.0.0.1:50000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(jobListCmd(), jobStatusCmd(), jobStopCmd(), jobCancelCmd(), jobResumeCmd())
	return cmd
}

// onFlink adds the flags that all commands about jobs have.
func onFlink(cmd *cobra.Command, address *string, asJSON *bool) *cobra.Command {
	cmd.Flags().StringVar(address, "flink", flink.DefaultREST, "address of Flink's REST interface")
	cmd.Flags().BoolVar(asJSON, "json", false, "the result as JSON")
	return cmd
}

func jobListCmd() *cobra.Command {
	var (
		address string
		asJSON  bool
	)
	return onFlink(&cobra.Command{
		Use:     "list",
		Short:   "List jobs, those that run first",
		Example: "  tributary job list --flink flink:8081",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := flink.NewClient(address)
			if err != nil {
				return usageError{err}
			}
			jobs, err := client.List(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), jobs)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "JOB\tSTATE\tSTARTED\tNAME")
			for _, job := range jobs {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", job.ID, job.State, job.Started.Time().Format(time.RFC3339), job.Name)
			}
			return table.Flush()
		},
	}, &address, &asJSON)
}

func jobStatusCmd() *cobra.Command {
	var (
		address string
		asJSON  bool
	)
	return onFlink(&cobra.Command{
		Use:     "status JOB",
		Short:   "Tell how a job is doing",
		Example: "  tributary job status feed",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, id, err := findJob(cmd.Context(), address, args[0])
			if err != nil {
				return err
			}
			status, err := client.Status(cmd.Context(), id)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), status)
			}
			return printStatus(cmd.OutOrStdout(), status, client.URL(id))
		},
	}, &address, &asJSON)
}

func jobStopCmd() *cobra.Command {
	var (
		address   string
		dir       string
		savepoint bool
		asJSON    bool
	)
	cmd := &cobra.Command{
		Use:   "stop JOB",
		Short: "End a job with a savepoint, which another one can resume from",
		Example: `  tributary job stop feed
  tributary job stop feed --savepoint-dir gs://bucket/savepoints`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !savepoint {
				return usageError{fmt.Errorf("a job stops with a savepoint only; without one it is ended by: tributary job cancel %s", args[0])}
			}
			client, id, err := findJob(cmd.Context(), address, args[0])
			if err != nil {
				return err
			}
			path, err := client.StopWithSavepoint(cmd.Context(), id, dir)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"id": id, "savepoint": path})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	cmd.Flags().BoolVar(&savepoint, "savepoint", true, "take a savepoint; there is no stopping without one")
	cmd.Flags().StringVar(&dir, "savepoint-dir", "", "folder for the savepoint, a URI (default: the cluster's state.savepoints.dir)")
	return onFlink(cmd, &address, &asJSON)
}

func jobCancelCmd() *cobra.Command {
	var (
		address string
		asJSON  bool
	)
	return onFlink(&cobra.Command{
		Use:     "cancel JOB",
		Short:   "End a job as it is; what it can resume from is its last checkpoint",
		Example: "  tributary job cancel feed",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, id, err := findJob(cmd.Context(), address, args[0])
			if err != nil {
				return err
			}
			if err := client.Cancel(cmd.Context(), id); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"id": id})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is being canceled\n", id)
			return err
		},
	}, &address, &asJSON)
}

func jobResumeCmd() *cobra.Command {
	run := streamRun{runner: flinkRunner, resume: resumeLast}
	cmd := &cobra.Command{
		Use:   "resume SPEC",
		Short: "Submit a job that has ended anew, from its newest savepoint or checkpoint",
		Long: `Submit the job of a spec anew, from the newest savepoint or retained checkpoint of the job
of its name, as "run --resume last" does. Flink keeps no program to start again: the spec
says it all, and may have changed as far as the state allows.

Where Flink remembers nothing of the job, "run --resume PATH" goes on from a path, and
"run --resume log" with nothing but the topics.`,
		Example: "  tributary job resume feed.yaml --worker 127.0.0.1:50000 --parallelism 4",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return run.run(cmd, args[0]) },
	}
	run.addJobFlags(cmd)
	return cmd
}

func findJob(ctx context.Context, address, ref string) (*flink.Client, string, error) {
	client, err := flink.NewClient(address)
	if err != nil {
		return nil, "", usageError{err}
	}
	job, err := client.Find(ctx, ref)
	return client, job.ID, err
}

func printStatus(w io.Writer, s flink.Status, url string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(table, name+"\t"+format+"\n", args...)
	}
	line("job", "%s  %s", s.ID, s.Name)
	line("state", "%s for %s, %d of %d tasks running", s.State, s.Duration.Round(time.Second), s.TasksRunning, s.Tasks)
	line("records", "%d in, %d out between steps", s.RecordsIn, s.RecordsOut)
	line("watermark", "%s", s.WatermarkText())
	line("checkpoints", "%d completed, %d failed, restored %d times", s.Checkpoints.Completed, s.Checkpoints.Failed, s.Checkpoints.Restored)
	if last := s.Checkpoints.Last; last != nil {
		line("last", "number %d at %s, %d bytes in %s, %s", last.ID, last.Taken.Format(time.RFC3339), last.Size, last.Duration, last.Path)
	}
	if s.Checkpoints.Failing {
		line("failing", "checkpoints, because: %s", s.Checkpoints.LastFailed)
	}
	if s.Failure != nil {
		line("failure", "%s at %s", s.Failure.Cause, s.Failure.Time.Format(time.RFC3339))
	}
	line("page", "%s", url)
	return table.Flush()
}
