package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/transforms/account"
)

// damaged are ways to damage a file of views of three blocks with two, two and one record.
// lost is what is known to be lost of its five views, damages where more may be.
var damaged = []struct {
	name          string
	change        func(file []byte, blocks []avro.Block) []byte
	lost, damages int64
	records       string // as the dead letter says
	samples       int64
}{
	{"a bad marker", func(f []byte, b []avro.Block) []byte { f[b[2].Offset-1] ^= 1; return f }, 2, 0, "", 3},
	{"the last marker", func(f []byte, _ []avro.Block) []byte { f[len(f)-1] ^= 1; return f }, 1, 0, "", 4},
	{"cut within a block", func(f []byte, b []avro.Block) []byte { return f[:b[2].Offset-20] }, 2, 1, "at least 2", 2},
	{"cut within a marker", func(f []byte, _ []avro.Block) []byte { return f[:len(f)-3] }, 1, 1, "at least 1", 4},
	{"cut within the numbers of a block", func(f []byte, b []avro.Block) []byte { return f[:b[2].Offset+1] }, 0, 1, "unknown", 4},
	{"the size of a block", func(f []byte, b []avro.Block) []byte { f[b[1].Offset+1] ^= 2; return f }, 0, 1, "unknown", 3},
	{"a count that is too large", func(f []byte, b []avro.Block) []byte { f[b[1].Offset] = 100; return f }, 0, 1, "unknown", 3},
	{"a count that is too small", func(f []byte, b []avro.Block) []byte { f[b[1].Offset] = 2; return f }, 0, 1, "unknown", 4},
	{"zeros at the end", func(f []byte, _ []avro.Block) []byte { return append(f, make([]byte, 100)...) }, 0, 0, "", 5},
	{"lines at the end", func(f []byte, _ []avro.Block) []byte { return append(f, "\n\n"...) }, 0, 1, "unknown", 5},
}

// TestDamagedFiles: what is known to be lost is counted, and nothing else is; in the ledger
// and in the dead letters, for views and for engagements, and when nothing is joined again.
func TestDamagedFiles(t *testing.T) {
	schema := `{"type":"record","name":"View","fields":[{"name":"view_id","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"seen","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	var rows []string
	for i := range 5 {
		rows = append(rows, fmt.Sprintf(`{"view_id":"a view with the number %d","ts":%d,"seen":%[2]d}`, i, 1767261600000+int64(i)))
	}
	good := filepath.Join(t.TempDir(), "good.avro")
	writeAvro(t, good, schema, 50, rows...)
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	r, err := avro.NewReader(bytes.NewReader(whole))
	require.NoError(t, err)
	var blocks []avro.Block
	for b, err := r.Next(); err == nil; b, err = r.Next() {
		blocks = append(blocks, b)
	}
	require.Len(t, blocks, 3)
	for _, tt := range damaged {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/views.avro", string(tt.change(bytes.Clone(whole), blocks)))
			write(t, dir+"/likes.jsonl", `{"view_id":"a view with the number 0","at":"2026-01-01T10:00:10Z"}`+"\n")
			s := parse(t, dir, `
views: {inputs: views.avro, id: view_id, time: ts}
engagements:
  like: {inputs: likes.jsonl, view: view_id, time: at, window: 30m}
  seen: {inputs: views.avro, view: view_id, time: seen, window: 30m}
outputs: {samples: out/samples}
`)
			for range 2 {
				l := join(t, s, Options{}).Accounts
				v, e := l.Views, l.Engagements["seen"]
				require.Equal(t, []int64{tt.samples + tt.lost, tt.samples, tt.lost, tt.damages}, []int64{v.N[account.Read], v.N[account.Samples], v.N[account.Dead], v.N[account.Damages]})
				require.Equal(t, []int64{tt.samples + tt.lost, tt.lost, tt.damages}, []int64{e.N[account.Read], e.N[account.Dead], e.N[account.Damages]})
			}
			if tt.lost+tt.damages == 0 {
				require.NoDirExists(t, dir+"/out/dead")
				return
			}
			letters := lines(t, dir+"/out/dead")
			require.Len(t, letters, 2, "one for each role")
			var letter struct {
				Count   int64
				Records string
			}
			require.NoError(t, json.Unmarshal([]byte(letters[0]), &letter))
			require.Equal(t, tt.records, letter.Records, letters[0])
			if tt.lost > 1 {
				require.Equal(t, tt.lost, letter.Count)
			}
			// Mended, the file is joined again, and the letter is gone.
			write(t, dir+"/views.avro", string(whole))
			require.Equal(t, int64(5), join(t, s, Options{}).Accounts.Views.N[account.Samples])
			require.Empty(t, below(t, dir+"/out/dead"))
		})
	}
}
