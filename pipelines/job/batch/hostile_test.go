package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/iotest"
	"tributary/io/packed"
	"tributary/pipelines/rejected"
	enemy "tributary/pipelines/sim/generate/hostile"
	"tributary/transforms/account"
)

const enemySpec = `
views: {inputs: [{path: "views/*.ENDING", order: ORDER}], id: id, time: {field: t, unit: epoch-millis}}
engagements:
  like: {inputs: [{path: "likes/*.ENDING", order: ORDER}], view: id, time: {field: t, unit: epoch-millis}, id: own, window: 1m, label: {sum: amount}}
outputs: {samples: {path: out/samples, format: FORMAT}, orphans: out/orphans}
`

// goodEvents are views a second apart and the likes of every third: two that count, which are
// worth 1 each, and one that comes too late.
func goodEvents(f enemy.Format, schema int32) (views, likes [][]byte, sums map[string]float64) {
	start := timeOf(begin)
	sums = map[string]float64{}
	for i := range 200 {
		id, at := fmt.Sprintf("g%03d", i), start.Add(time.Duration(i)*time.Second)
		views = append(views, enemy.Good(f, schema, id, at))
		sums[id] = 0
	}
	for i := 0; i < 200; i += 3 {
		id, at := fmt.Sprintf("g%03d", i), start.Add(time.Duration(i)*time.Second)
		likes = append(likes, enemy.Good(f, schema, id, at.Add(time.Second)), enemy.Good(f, schema, id, at.Add(2*time.Second)), enemy.Good(f, schema, id, at.Add(time.Minute)))
		sums[id] = 2
	}
	return views, likes, sums
}

// enemyFile is the content of a file of records, in which each stands for itself.
func enemyFile(t *testing.T, f enemy.Format, ending string, records []enemy.Record) string {
	t.Helper()
	var out bytes.Buffer
	if f == enemy.Avro {
		schema, err := avro.ParseSchema(enemy.Schema)
		require.NoError(t, err)
		w, err := avro.NewWriter(&out, schema, avro.WriterOptions{BlockBytes: 1, Codec: avro.CodecDeflate})
		require.NoError(t, err)
		for _, r := range records {
			require.NoError(t, w.Append(r.Value))
		}
		require.NoError(t, w.Close())
		return out.String()
	}
	if f == enemy.CSV {
		out.WriteString(enemy.Header)
	}
	for _, r := range records {
		out.Write(r.Value)
		out.WriteByte('\n')
	}
	return string(iotest.Pack(t, ending, out.Bytes()))
}

// TestHostileRecords puts records of every kind that no honest producer writes at the head, in
// the middle and at the end of files, and into files of their own. The run ends well, the samples
// of the good ones are what they are without, and each hostile one is accounted for.
func TestHostileRecords(t *testing.T) {
	for i, ending := range []string{"jsonl", "jsonl.gz", "csv", "avro", "avro", "csv.lz4", "jsonl.zst"} {
		for k, order := range []string{"none", "file"} {
			format := []string{"avro", "json"}[i%2]
			seed := int64(10 * (2*i + k))
			t.Run(strings.Join([]string{ending, order, format}, " "), func(t *testing.T) {
				t.Logf("seed %d", seed)
				plain, _ := packed.Cut(strings.ReplaceAll(ending, "jsonl", "json"))
				f := enemy.Format(plain)
				o := enemy.Options{Format: f, Base: timeOf(begin), Large: 1 << 20, Lines: true, NoFuture: order == "file"}
				if i == 0 {
					o.Large = 10 << 20
				}
				views, likes, sums := goodEvents(f, 0)
				files := map[string][]enemy.Record{
					"views/a":    enemy.Mix(seed, views, enemy.Records(seed, o)),
					"views/only": enemy.Records(seed+1, o),
					"likes/a":    enemy.Mix(seed+2, likes, enemy.Records(seed+2, o)),
					"likes/only": enemy.Records(seed+3, o),
				}
				dir := t.TempDir()
				read := map[string]int64{}
				for name, records := range files {
					write(t, dir+"/"+name+"."+ending, enemyFile(t, f, ending, records))
					read[strings.Split(name, "/")[0]] += int64(len(records))
				}
				text := strings.NewReplacer("ENDING", ending, "ORDER", order, "FORMAT", format).Replace(enemySpec)
				s := parse(t, dir, text)
				r := join(t, s, Options{Interval: []time.Duration{0, time.Minute}[i%2]})

				samples := rowsBelow(t, s.Outputs.Samples.Path, format)
				got := map[string]float64{}
				for _, one := range samples {
					if strings.HasPrefix(one.ViewID, "g") {
						got[one.ViewID] = one.Labels["like"]
					}
				}
				require.Equal(t, sums, got)
				v, e := r.Accounts.Views, r.Accounts.Engagements["like"]
				require.EqualValues(t, v.N[account.Samples], len(samples))
				// A block that is too small for as many records as it says it has loses nobody knows how many.
				requireBetween(t, read["views"]-v.N[account.Damages], read["views"], v.N[account.Read])
				requireBetween(t, read["likes"]-e.N[account.Damages], read["likes"], e.N[account.Read])
				require.True(t, f == enemy.Avro || v.N[account.Damages]+e.N[account.Damages] == 0)
				require.Greater(t, v.N[account.Dead], int64(40))
				require.Greater(t, e.N[account.Dead], int64(40))
				requireBetween(t, v.N[account.Dead]+e.N[account.Dead], v.N[account.Dead]+e.N[account.Dead]+v.N[account.Damages]+e.N[account.Damages], deadLetters(t, s.Outputs.DeadLetters))
				require.Len(t, lines(t, s.Outputs.Orphans), int(e.N[account.Orphans]))
			})
		}
	}
}

func requireBetween(t *testing.T, least, most, got int64) {
	t.Helper()
	require.LessOrEqual(t, least, got)
	require.GreaterOrEqual(t, most, got)
}

// rowsBelow reads all samples below a folder of files in that format.
func rowsBelow(t *testing.T, dir, format string) (all []row) {
	t.Helper()
	if format == "avro" {
		return samplesBelow(t, dir)
	}
	for _, line := range lines(t, dir) {
		var one row
		require.NoError(t, json.Unmarshal([]byte(line), &one))
		all = append(all, one)
	}
	return all
}

// deadLetters counts the records that dead letters stand for; each is JSON and no larger than is
// kept of a record.
func deadLetters(t *testing.T, dir string) (n int64) {
	t.Helper()
	for _, line := range lines(t, dir) {
		var one rejected.Record
		require.NoError(t, json.Unmarshal([]byte(line), &one), "%.200s", line)
		require.NotEmpty(t, one.Detail)
		require.Less(t, len(line), 2<<20)
		n += max(1, one.Count)
	}
	return n
}

// TestHostileFilesAlone: nothing but hostile records, in one format after another.
func TestHostileFilesAlone(t *testing.T) {
	for i, f := range []enemy.Format{enemy.JSON, enemy.CSV, enemy.Avro} {
		dir := t.TempDir()
		ending := map[enemy.Format]string{enemy.JSON: "jsonl", enemy.CSV: "csv", enemy.Avro: "avro"}[f]
		o := enemy.Options{Format: f, Base: timeOf(begin), Large: 1 << 20, Lines: true}
		for _, role := range []string{"views", "likes"} {
			write(t, dir+"/"+role+"/a."+ending, enemyFile(t, f, ending, enemy.Records(int64(i), o)))
		}
		s := parse(t, dir, strings.NewReplacer("ENDING", ending, "ORDER", "file", "FORMAT", "json").Replace(enemySpec))
		join(t, s, Options{})
		before := contents(t, dir+"/out/samples")
		require.NoError(t, os.RemoveAll(dir+"/out/ledger"))
		join(t, s, Options{}) // and again, as after a crash
		require.Equal(t, before, contents(t, dir+"/out/samples"))
	}
}
