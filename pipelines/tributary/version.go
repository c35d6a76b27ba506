package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// build is what this binary was made of.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	// Modified says that the sources were other than those of the revision.
	Modified bool   `json:"modified,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Beam     string `json:"beam"`
}

const beamModule = "github.com/apache/beam/sdks/v2"

func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) build {
	b := build{Version: info.Main.Version, Go: strings.TrimPrefix(info.GoVersion, "go")}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, d := range info.Deps {
		if d.Path == beamModule {
			b.Beam = strings.TrimPrefix(d.Version, "v")
		}
	}
	return b
}

func (b build) String() string {
	text := "tributary " + b.Version
	if b.Revision != "" {
		text += ", revision " + b.Revision
		if b.Modified {
			text += " with changes"
		}
	}
	return fmt.Sprintf("%s, Go %s, Beam %s", text, b.Go, b.Beam)
}

func versionCmd() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Tell which version this is, and of Go and Beam",
		Long: `Tell the version and revision that this binary was made of, and the versions of Go and
of Beam's SDK in it. A worker refuses the jobs of another binary than its own.`,
		Example: "  tributary version\n  tributary version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), thisBuild())
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), thisBuild()); err != nil {
				return fmt.Errorf("print the version: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the versions as JSON")
	return cmd
}
