// Package hostile makes records that no honest producer writes: of every kind, for every format,
// to be put beside good ones. A join has to account for each of them, and to make of the good
// ones what it would have made without.
//
// Ids, own ids and bytes of hostile records never are those of good ones, as long as these do
// not begin with Prefix.
package hostile

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"
)

// Prefix begins the ids of hostile records that have one.
const Prefix = "hostile-"

// Format is how records are written.
type Format string

// The formats of records. Registry is Avro behind the id of a schema.
const (
	JSON     Format = "json"
	CSV      Format = "csv"
	Avro     Format = "avro"
	Registry Format = "registry"
)

// Options say what the records are to be like.
type Options struct {
	Format Format
	// Base is an event time that is as good as that of the good records: what is hostile in
	// another way is stamped so.
	Base time.Time
	// Large is the size of the largest records, of which there are a few.
	Large int
	// Lines leaves out what a text file cannot hold in one line.
	Lines bool
	// NoFuture leaves out times after Base that are taken for what they say: in a partition
	// with an order they make late what comes behind them.
	NoFuture bool
	// SchemaID is that of Schema in the registry, Useless are ids of schemas that are there and
	// do not serve.
	SchemaID int32
	Useless  []int32
}

// Record is one hostile record.
type Record struct {
	// Name says what is wrong with it.
	Name       string
	Key, Value []byte // a nil value is a tombstone
}

// Header is the header of CSV files.
const Header = "id,t,own,amount,more\n"

// Schema is the Avro schema of hostile records: the fields that a join may read, and fields of
// every type behind them.
const Schema = `{"type":"record","name":"Event","fields":[
	{"name":"id","type":"string"},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"own","type":["null","string"]},{"name":"amount","type":["null","double"]},
	{"name":"ok","type":"boolean"},{"name":"n","type":"int"},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
	{"name":"tags","type":{"type":"array","items":"string"}},{"name":"none","type":{"type":"array","items":"null"}},
	{"name":"flags","type":{"type":"array","items":"boolean"}},{"name":"map","type":{"type":"map","values":"long"}},
	{"name":"tree","type":["null",{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}]},
	{"name":"more","type":"bytes"}]}`

// Records returns one record of every kind, in the order of a seed.
func Records(seed int64, o Options) []Record {
	random := rand.New(rand.NewSource(seed))
	if o.Large == 0 {
		o.Large = 10 << 20
	}
	var all []Record
	switch o.Format {
	case JSON:
		all = slices.Concat(texts(random, o), jsonBytes(o), jsonFields(o))
	case CSV:
		all = slices.Concat(texts(random, o), csvRows(o))
	case Avro:
		all = avroRecords(random, o)
	case Registry:
		all = registryRecords(random, o)
	}
	if !o.Lines {
		all = append(all, keyed(o)...)
	}
	slices.SortStableFunc(all, func(a, b Record) int { return cmp.Compare(a.Name, b.Name) })
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// Good is a record that serves, with an id that no hostile record has.
func Good(f Format, schemaID int32, id string, at time.Time) []byte {
	switch f {
	case JSON:
		return fmt.Appendf(nil, `{"id":%q,"t":%d,"own":%q,"amount":1,"more":""}`, id, at.UnixMilli(), "own-"+id+at.String())
	case CSV:
		return fmt.Appendf(nil, "%s,%d,own-%s-%d,1,", id, at.UnixMilli(), id, at.UnixMilli())
	default:
		e := event{id: id, at: at.UnixMilli(), own: "own-" + id + at.String()}
		if f == Registry {
			return frame(schemaID, e.bytes())
		}
		return e.bytes()
	}
}

// Mix puts hostile records among good ones, which stay in their order: at the head, in the
// middle and at the end.
func Mix(seed int64, good [][]byte, bad []Record) []Record {
	random := rand.New(rand.NewSource(seed))
	third := len(bad) / 3
	out := slices.Clone(bad[:third])
	middle := bad[third : 2*third]
	for i, g := range good {
		out = append(out, Record{Name: "good", Value: g})
		for left := len(good) - i; len(middle) > 0 && random.Intn(left) < len(middle); {
			out = append(out, middle[0])
			middle = middle[1:]
		}
	}
	return slices.Concat(out, middle, bad[2*third:])
}

// keyed are records whose key is hostile.
func keyed(o Options) []Record {
	value := func(id string) []byte { return Good(o.Format, o.SchemaID, Prefix+id, o.Base) }
	return []Record{
		{"key/empty", []byte{}, value("key-empty")},
		{"key/1 MiB", bytes.Repeat([]byte("k"), 1<<20), value("key-large")},
		{"key/not UTF-8", []byte("\xff\xfe\x00"), value("key-bytes")},
		{"tombstone", nil, nil},
		{"tombstone/with a key", []byte("k"), nil},
	}
}

// texts are bytes that are no record in any text format.
func texts(random *rand.Rand, o Options) []Record {
	noise := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			for out[i] = byte(random.Intn(256)); out[i] == '\n' || out[i] == '"'; {
				out[i] = byte(random.Intn(256))
			}
		}
		return out
	}
	all := []Record{
		{"bytes/empty", nil, []byte{}},
		{"bytes/space", nil, []byte(" \t ")},
		{"bytes/NUL", nil, []byte{0}},
		{"bytes/NULs", nil, make([]byte, 5000)},
		{"bytes/byte order mark", nil, []byte("\xef\xbb\xbf")},
		{"bytes/UTF-16", nil, []byte("\xff\xfe{\x00}\x00")},
		{"bytes/not UTF-8", nil, []byte("\xc3\x28\xa0\xa1")},
		{"bytes/noise", nil, noise(1 + random.Intn(4096))},
		{"bytes/large noise", nil, noise(o.Large / 10)},
		{"bytes/one large word", nil, bytes.Repeat([]byte("x"), o.Large)},
		{"bytes/Avro container", nil, []byte("Obj\x01\x04\x14avro.codec")},
		{"bytes/gzip", nil, []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00")},
	}
	if o.Lines {
		// Blank lines are no records, and a mark of UTF-16 at the head is about the file.
		all = slices.DeleteFunc(all, func(r Record) bool {
			return slices.Contains([]string{"bytes/empty", "bytes/space", "bytes/byte order mark", "bytes/UTF-16"}, r.Name)
		})
	}
	return all
}

// longText is text of n bytes that JSON and CSV hold as it is.
func longText(n int) string { return strings.Repeat("0123456789abcdef", n/16) }
