package generate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"tributary/io/fileio"
)

// Names below Config.Out.
const (
	viewsDir       = "views"
	engagementsDir = "engagements"
	truthDir       = "truth"
	truthFile      = "truth.json"
	viewSchemaFile = "view.avsc"
	specFile       = "spec.yaml"
)

// path returns a path below Out, which may be one on Cloud Storage.
func (c *Config) path(names ...string) string {
	if c.Out == "" {
		return strings.Join(names, "/")
	}
	return strings.TrimSuffix(c.Out, "/") + "/" + strings.Join(names, "/")
}

// prepare readies the folder. Files of an earlier run would be joined along with the new
// ones, so they go; the schema, which is written first, tells that they are ours.
func prepare(ctx context.Context, c *Config) error {
	var old []fileio.File
	for _, dir := range []string{viewsDir, engagementsDir, truthDir} {
		found, err := fileio.List(ctx, c.path(dir, "*"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for files of an earlier run: %w", err)
		}
		old = append(old, found...)
	}
	if len(old) > 0 {
		ours, err := fileio.Exists(ctx, c.path(viewSchemaFile))
		if err != nil {
			return err
		}
		if !ours {
			return fmt.Errorf("%s: the folder holds files that were not generated, like %s: choose another one", c.Out, old[0].Path)
		}
	}
	for _, path := range []string{c.path(truthFile), c.path(specFile)} {
		if err := fileio.Remove(ctx, path); err != nil {
			return err
		}
	}
	for _, f := range old {
		if err := fileio.Remove(ctx, f.Path); err != nil {
			return err
		}
	}
	if err := fileio.WriteFile(ctx, c.path(viewSchemaFile), []byte(newSchemas(c).views[0]+"\n")); err != nil {
		return err
	}
	if !c.Spec {
		return nil
	}
	return fileio.WriteFile(ctx, c.path(specFile), specYAML(c))
}

// writeTruth writes truth.json.
func writeTruth(ctx context.Context, c *Config, truth *Truth) error {
	counts, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	return fileio.WriteFile(ctx, c.path(truthFile), append(counts, '\n'))
}
