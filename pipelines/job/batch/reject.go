package batch

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/record"
	"tributary/pipelines/rejected"
	"tributary/transforms/account"
)

func init() {
	register.Function1x2(byOutput)
	dofn.Register(dofn.Method4x1((*writeRejectedFn).ProcessElement))
	register.Iter1[record.Rejected]()
}

func byOutput(r record.Rejected) (string, record.Rejected) {
	return string(rejected.OutputOf(r.Reason)), r
}

// writeRejectedFn writes the rejected records of an interval as JSON lines, a file for each
// output, in order of their place in the log.
type writeRejectedFn struct {
	Paths map[rejected.Output]string
	// Roles names each input, Partitions each partition.
	Roles      []string
	Partitions []string
	Schemas    map[uint64]string
}

func (f *writeRejectedFn) ProcessElement(ctx context.Context, output string, records func(*record.Rejected) bool, accounts func(account.Sheet)) error {
	var all []record.Rejected
	var r record.Rejected
	for records(&r) {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b record.Rejected) int {
		return cmp.Or(cmp.Compare(f.source(&a), f.source(&b)), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Element, b.Element), cmp.Compare(a.Input, b.Input), cmp.Compare(a.Reason, b.Reason))
	})
	key, path := outputKeys[rejected.Output(output)], f.Paths[rejected.Output(output)]
	if path == "" {
		return nil // they go to a topic
	}
	file, err := f.write(ctx, path, all)
	if err != nil {
		return failed(ctx, key, path, err)
	}
	account := account.New() // says that the file is there
	account.Files = writtenAs(key, file)
	accounts(*account)
	return nil
}

// outputKeys are what a spec calls the outputs of rejected records.
var outputKeys = map[rejected.Output]string{rejected.Late: "late", rejected.Dead: "dead_letters", rejected.Orphans: "orphans"}

func (f *writeRejectedFn) write(ctx context.Context, path string, all []record.Rejected) (*fileio.Writer, error) {
	file, err := fileio.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Abort()
	out := bufio.NewWriter(file)
	describer := rejected.Describer{Roles: f.Roles, Schemas: f.Schemas}
	var line []byte
	for i := range all {
		described := describer.Describe(&all[i], f.source(&all[i]))
		if line, err = described.Append(line[:0]); err == nil {
			_, err = out.Write(append(line, '\n'))
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return file, file.Commit()
}

func (f *writeRejectedFn) source(r *record.Rejected) string {
	if r.Partition < 0 || int(r.Partition) >= len(f.Partitions) {
		return ""
	}
	return f.Partitions[r.Partition]
}
