package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

func schemaCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema [spec|report]",
		Short: "Print the JSON Schema of specs, for editors, or of reports; or the Avro schema of samples",
		Long: `Schema prints the JSON Schema (draft 2020-12) of specs. Editors that know it
complete keys, show what they mean and underline mistakes while you type.

Save it beside the spec, and begin the spec with this line:

    # yaml-language-server: $schema=tributary.schema.json

"schema report" prints that of what "join --json" and "report --json" print.`,
		Example: `  tributary schema > tributary.schema.json
  tributary schema report > report.schema.json
  tributary schema sample feed.yaml > sample.avsc`,
		ValidArgs: []string{"spec", "report"},
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema := spec.Schema()
			if len(args) > 0 && args[0] == "report" {
				schema = report.Schema()
			}
			return printSchema(cmd, schema)
		},
	}
	cmd.AddCommand(schemaSampleCmd())
	return cmd
}

func schemaSampleCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "sample SPEC",
		Short: "Print the Avro schema of the samples that a spec gives",
		Long: `Print the Avro schema of the samples that a spec gives. It reads the schemas of the
views, from files, topics or the registry, and writes nothing. "tributary help outputs"
says how it changes with the spec.`,
		Example: "  tributary schema sample feed.yaml > sample.avsc",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema, err := sampleSchema(cmd.Context(), args[0], pipedIn(cmd))
			if err != nil {
				return err
			}
			return printSchema(cmd, schema)
		},
	}
}

func printSchema(cmd *cobra.Command, schema []byte) error {
	if _, err := cmd.OutOrStdout().Write(schema); err != nil {
		return fmt.Errorf("print the schema: %w", err)
	}
	return nil
}

// sampleSchema is the Avro schema of the samples of a spec, over several lines.
func sampleSchema(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	s, err := spec.Load(path)
	if err != nil {
		return nil, err
	}
	text, err := batch.SampleSchema(ctx, s, stdin)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return nil, fmt.Errorf("print the schema: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
