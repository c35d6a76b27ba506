package main

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/spec"
	"tributary/pipelines/why"
)

func whyCmd() *cobra.Command {
	var (
		opt    why.Options
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "why SPEC ID",
		Short: "Tell what became of a view or an engagement, record by record, and why",
		Long: `Tell what became of every record of an id: that of a view, or an engagement's own. It reads
the inputs of the spec again, by the code of the join, keeps what concerns the id, and looks
for the samples of its views where the job has written them.

It tells each record with its place and the watermark before it, and what it became: kept,
a duplicate of which, late by how much, filtered, dead and why; of each view the bucket, the
shard and when that closes, at each stage; what each engagement is to each view; and each
sample with its place, what it differs in, and the line of the commit log. The last line
says in one sentence what happened. An id of several fields is written as samples have it,
in view_id.

Where the id has no record and no sample, it says what was read and ends with exit code 1.

Nothing is written. What a partition that had been idle made late is told as if it had not
been idle. Records that a topic no longer holds are not known, and where it begins is said;
a sample is gone, not missing, where its topic no longer holds what was written first, and
replaced where a compacted one has a later sample of the id.`,
		Example: `  tributary why stream.yaml v1
  tributary why join.yaml click-17 --json | jq -r .sentence`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			beam.Init()
			show := newProgress(cmd.ErrOrStderr())
			opt.Progress = show.tell
			r, err := why.Run(cmd.Context(), s, args[1], opt)
			show.finish()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			write := func() error { return r.Text(out) }
			if asJSON {
				write = func() error { return r.JSON(out) }
			}
			if err := write(); err != nil || r.Found {
				return err
			}
			return errReported
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "what was found as JSON, every row of it")
	return cmd
}
