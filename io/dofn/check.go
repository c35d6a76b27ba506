package dofn

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"
)

// Check returns an error for each collection of a pipeline whose elements would not arrive as they are, or
// dearly: structs with unexported fields that have no coder (see Element), and whatever is written as JSON. It
// is for tests of whoever builds a pipeline.
func Check(p *beam.Pipeline) error {
	_, nodes, err := p.Build()
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range nodes {
		errs = append(errs, checkCoder(n.Coder))
	}
	return errors.Join(errs...)
}

func checkCoder(c *coder.Coder) error {
	var errs []error
	switch {
	case c.Custom != nil && c.Custom.Name == "json":
		errs = append(errs, fmt.Errorf("elements of type %v are written as JSON", c.T))
	case c.Kind == coder.Row:
		for _, field := range reflect.VisibleFields(c.T.Type()) {
			if !field.IsExported() {
				errs = append(errs, fmt.Errorf("elements of type %v lose their field %s", c.T, field.Name))
			}
		}
	}
	for _, part := range c.Components {
		errs = append(errs, checkCoder(part))
	}
	return errors.Join(errs...)
}
