package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tributary/io/fileio"
	"tributary/pipelines/draft"
)

// recordsOfDraft is how many records of each file a first spec is guessed from: enough that the
// views of engagements are among them, read in about a second.
const recordsOfDraft = 20_000

func initCmd() *cobra.Command {
	var (
		output  string
		force   bool
		records int
	)
	cmd := &cobra.Command{
		Use:   "init FILE|DIR|PATTERN...",
		Short: "Write a first spec for files, with what was guessed",
		Long: `Init looks at the records of files and writes a first spec of them: which are the
views and which the engagements, the ids by which they belong together (of several
fields where no field alone will do) or, where engagements name no view, the key that
both have in common (a user, a user and an item), the times and how they are written,
a column that tells kinds of engagements apart, the delimiters of tables, and a
window. What each was guessed by stands beside it as a comment. Times that have no zone are taken
to be in UTC, or where engagements tell more in a zone so far from it, and days to
come before months where values fit both: look at these.

Name the files of the views and those of the engagements: files, folders or
patterns, local, on gs://, s3:// or az://. Files of one folder that are alike are one input.
Files that are all alike are one log of all events: a column like event or type then
tells views and engagements apart, by what its values are called.

What cannot be guessed is FILL_IN in the spec, and the exit code is then 1.`,
		Example: `  tributary init views/*.avro clicks/*.jsonl
  tributary init data/ -o feed.yaml
  tributary init events.csv -o feed.yaml
  tributary init gs://bucket/views/ gs://bucket/clicks/ -o feed.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if records < 1 {
				return usageError{fmt.Errorf("--records must be 1 or more, got %d", records)}
			}
			file := "spec.yaml" // only for where its paths begin
			if output != "" {
				file = output
				if err := free(output, force); err != nil {
					return err
				}
			}
			spec, err := draft.Make(cmd.Context(), args, draft.Options{File: file, Records: records})
			if err != nil {
				return err
			}
			name := "the spec"
			if output == "" {
				_, err = cmd.OutOrStdout().Write(spec.Text)
			} else {
				name = output
				err = fileio.WriteFile(cmd.Context(), output, spec.Text)
			}
			if err != nil {
				return fmt.Errorf("write the spec: %w", err)
			}
			if len(spec.Problems) > 0 {
				return spec.Problems
			}
			if len(spec.Open) > 0 {
				return fmt.Errorf("fill in %s where it says %s: %s could not be guessed", name, draft.Blank, strings.Join(spec.Open, ", "))
			}
			if output != "" {
				tell(cmd.ErrOrStderr(), "%s is written: look at it, then run tributary check %s --inputs\n", output, output)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "", "the file to write, instead of stdout")
	flags.BoolVar(&force, "force", false, "write over a file that is there")
	flags.IntVar(&records, "records", recordsOfDraft, "how many records of each file to look at, of 20 files that are alike")
	return cmd
}

// free tells whether a file may be written.
func free(file string, force bool) error {
	_, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("write the spec: %w", err)
	case !force:
		return fmt.Errorf("%s is there already: --force writes over it", file)
	}
	return nil
}
