package show

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/pipelines/spec"
)

// Kinds lists the kinds of engagement in the first sample of a file, folder or pattern; none
// if there are other records.
func Kinds(ctx context.Context, path string) ([]string, error) {
	files, err := fileio.List(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("list kinds: %w", err)
	}
	c := compiled{Filter: Filter{Kind: "?"}}
	for _, file := range files {
		err := read(ctx, file.Path, func(rec record) error {
			if classify(rec) == samples {
				c.meet(rec)
			}
			return errEnough
		}, func(error) {})
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list kinds: %w", err)
		}
	}
	return slices.Sorted(maps.Keys(c.kinds)), nil
}

// meet notes which kinds and labels a sample knows, if the filter names any.
func (c *compiled) meet(rec record) {
	if c.Kind == "" && len(c.labels) == 0 {
		return
	}
	if c.kinds == nil {
		c.kinds, c.names = map[string]bool{}, map[string]bool{}
	}
	for kind := range rec.get("delay_ms").Map() {
		c.kinds[kind] = true
	}
	for name := range rec.get("labels").Map() {
		c.names[name] = true
	}
}

// unknownKind is an error if the filter names a kind, or a label, that no sample knows: then nothing was
// shown, and nothing ever would be.
func (c *compiled) unknownKind() error {
	if len(c.kinds) == 0 {
		return nil
	}
	check := func(flag, name string, there map[string]bool) error {
		if name == "" || there[name] {
			return nil
		}
		known := slices.Sorted(maps.Keys(there))
		text := fmt.Sprintf("show: --%s %s: the samples have no such %s, but %s", flag, name, flag, strings.Join(known, ", "))
		if near := spec.Nearest(name, known); near != "" {
			text += "; did you mean " + near + "?"
		}
		return errors.New(text)
	}
	err := check("kind", c.Kind, c.kinds)
	for _, l := range c.labels {
		err = errors.Join(err, check("label", l.name, c.names))
	}
	return err
}
