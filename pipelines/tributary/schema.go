package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tributary/pipelines/spec"
)

func schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of specs, for editors",
		Long: `Schema prints the JSON Schema (draft 2020-12) of specs. Editors that know it
complete keys, show what they mean and underline mistakes while you type.

Save it beside the spec, and begin the spec with this line:

    # yaml-language-server: $schema=tributary.schema.json`,
		Example: "  tributary schema > tributary.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := cmd.OutOrStdout().Write(spec.Schema()); err != nil {
				return fmt.Errorf("print the schema: %w", err)
			}
			return nil
		},
	}
}
