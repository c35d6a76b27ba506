package job

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tributary/io/format/avro"
)

// Written is a schema that views were written with, and where.
type Written struct {
	Schema *avro.Schema
	// Source names a file or a topic that has such views, for messages.
	Source string
}

// ViewSchema chooses the schema that views have in samples: of the candidates the one that
// can read all that was written, by Avro's rules of resolution, with the most fields if
// there are several. It does not depend on the order of either list, and is one that strict
// readers take (see avro.Strict). The error says of a candidate what it cannot read.
func ViewSchema(candidates []*avro.Schema, written []Written) (*avro.Schema, error) {
	candidates = slices.Clone(candidates)
	slices.SortFunc(candidates, func(a, b *avro.Schema) int {
		return cmp.Or(-cmp.Compare(len(a.Paths()), len(b.Paths())), cmp.Compare(a.String(), b.String()))
	})
	var reasons []string
	for _, candidate := range candidates {
		failed := ""
		for _, w := range written {
			if _, err := avro.Resolve(w.Schema, candidate); err != nil {
				if text := fmt.Sprintf("%s: %v", w.Source, err); failed == "" || text < failed {
					failed = text
				}
			}
		}
		if failed == "" {
			return candidate.Strict()
		}
		reasons = append(reasons, failed)
	}
	if len(reasons) == 0 {
		return nil, errors.New("no schema to choose from")
	}
	return nil, errors.New(slices.Min(reasons))
}
