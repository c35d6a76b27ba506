package join

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/avroio"
	"tributary/io/event"
	"tributary/io/fileio"
	"tributary/transforms/ledger"
)

func init() {
	register.Function1x2(byOutput)
	register.DoFn4x1[context.Context, string, func(*event.Rejected) bool, func(ledger.Ledger), error](&writeRejectedFn{})
	register.Iter1[event.Rejected]()
}

// The outputs of rejected records.
const (
	outputLate    = "late"
	outputDead    = "dead"
	outputOrphans = "orphans"
)

func byOutput(r event.Rejected) (string, event.Rejected) {
	switch r.Reason {
	case event.ReasonLate, event.ReasonPartlyLate:
		return outputLate, r
	case event.ReasonOrphan:
		return outputOrphans, r
	default:
		return outputDead, r
	}
}

// writeRejectedFn writes the rejected records of a slice as JSON lines, a file for each
// output, in order of their place in the log.
type writeRejectedFn struct {
	Paths map[string]string // by output
	// Roles names each input, Partitions each partition.
	Roles      []string
	Partitions []string
	Schemas    map[uint64]string
}

func (f *writeRejectedFn) ProcessElement(ctx context.Context, output string, rejected func(*event.Rejected) bool, ledgers func(ledger.Ledger)) error {
	var all []event.Rejected
	var r event.Rejected
	for rejected(&r) {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b event.Rejected) int {
		return cmp.Or(cmp.Compare(f.source(&a), f.source(&b)), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Input, b.Input), cmp.Compare(a.Reason, b.Reason))
	})
	file, err := fileio.Create(ctx, f.Paths[output])
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	decoders := map[uint64]*avroio.JSONWriter{}
	for i := range all {
		r := &all[i]
		if err := lines.Encode(describe(r, f.Roles[r.Input], f.source(r), f.decoder(r.Schema, decoders))); err != nil {
			file.Abort()
			return fmt.Errorf("write %s: %w", f.Paths[output], err)
		}
	}
	if err := out.Flush(); err != nil {
		file.Abort()
		return fmt.Errorf("write %s: %w", f.Paths[output], err)
	}
	if err := file.Commit(); err != nil {
		return err
	}
	ledgers(*ledger.New()) // says that the file is there
	return nil
}

func (f *writeRejectedFn) source(r *event.Rejected) string {
	if r.Partition < 0 || int(r.Partition) >= len(f.Partitions) {
		return ""
	}
	return f.Partitions[r.Partition]
}

// decoder returns what turns a record of that schema into JSON; nil for JSON itself.
func (f *writeRejectedFn) decoder(schema uint64, known map[uint64]*avroio.JSONWriter) func([]byte) ([]byte, error) {
	if schema == 0 {
		return nil
	}
	return func(record []byte) ([]byte, error) {
		w := known[schema]
		if w == nil {
			s, err := avroio.ParseSchema(f.Schemas[schema])
			if err != nil {
				return nil, err
			}
			if w, err = avroio.NewJSON(s); err != nil {
				return nil, err
			}
			known[schema] = w
		}
		text, _, err := w.Append(nil, record)
		return text, err
	}
}
