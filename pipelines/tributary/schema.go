package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

func schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [spec|report]",
		Short: "Print the JSON Schema of specs, for editors, or of reports",
		Long: `Schema prints the JSON Schema (draft 2020-12) of specs. Editors that know it
complete keys, show what they mean and underline mistakes while you type.

Save it beside the spec, and begin the spec with this line:

    # yaml-language-server: $schema=tributary.schema.json

"schema report" prints that of what "join --json" and "report --json" print.`,
		Example: `  tributary schema > tributary.schema.json
  tributary schema report > report.schema.json`,
		ValidArgs: []string{"spec", "report"},
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema := spec.Schema()
			if len(args) > 0 && args[0] == "report" {
				schema = report.Schema()
			}
			if _, err := cmd.OutOrStdout().Write(schema); err != nil {
				return fmt.Errorf("print the schema: %w", err)
			}
			return nil
		},
	}
}
