package hostile

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand"
)

// event is an Avro record of Schema. What is nil is as it should be.
type event struct {
	id                                                  string
	at                                                  int64
	own                                                 string
	ok, n, kind, tags, none, flags, entries, tree, more []byte
}

func text(s string) []byte { return append(binary.AppendVarint(nil, int64(len(s))), s...) }

func long(v int64) []byte { return binary.AppendVarint(nil, v) }

func (e event) bytes() []byte {
	or := func(given []byte, otherwise ...byte) []byte {
		if given != nil {
			return given
		}
		return otherwise
	}
	return bytes.Join([][]byte{
		text(e.id), long(e.at), append([]byte{2}, text(e.own)...),
		{2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f},
		or(e.ok, 1), or(e.n, 2), or(e.kind, 2), or(e.tags, 0), or(e.none, 0), or(e.flags, 0), or(e.entries, 0), or(e.tree, 0), or(e.more, 0),
	}, nil)
}

// overlong is a number of more than 64 bits.
var overlong = bytes.Repeat([]byte{0xff}, 11)

// avroRecords are records of Schema, or almost.
func avroRecords(random *rand.Rand, o Options) (all []Record) {
	sound := event{id: Prefix + "sound", at: o.Base.UnixMilli(), own: Prefix + "own"}
	add := func(name string, value []byte) { all = append(all, Record{Name: "Avro/" + name, Value: value}) }
	with := func(name string, change func(e *event)) {
		e := sound
		e.id = Prefix + name
		change(&e)
		add(name, e.bytes())
	}
	whole := sound.bytes()
	noise := make([]byte, 1+random.Intn(4096))
	_, _ = random.Read(noise) // never fails
	add("empty", []byte{})
	add("noise", noise)
	add("zeros", make([]byte, 1000))
	add("ones", bytes.Repeat([]byte{0xff}, 1000))
	for i := range 5 {
		add("truncated", whole[:(i+1)*len(whole)/6])
	}
	add("without its last byte", whole[:len(whole)-1])
	if !o.Lines {
		add("bytes behind it", append(bytes.Clone(whole), "behind"...))
	}
	add("id/length over 64 bits", append(bytes.Clone(overlong), whole...))
	add("id/negative length", append(long(-5), whole...))
	add("id/length beyond the end", append(long(1<<20), whole...))
	add("id/length of 1 GiB", append(long(1<<30), whole...))
	add("id/largest length", append(long(math.MaxInt64), whole...))
	add("id/smallest length", append(long(math.MinInt64), whole...))
	for name, id := range map[string]string{
		"empty": "", "NUL": Prefix + "\x00", "not UTF-8": Prefix + "\xff\xfe", "half a rune": Prefix + "\xe2\x82", "1 MiB": Prefix + longText(1<<20), "large": Prefix + longText(o.Large),
		"the same": Prefix + "same", "the same again": Prefix + "same", "line ends": Prefix + "\r\n",
	} {
		with("id/"+name, func(e *event) { e.id = id })
		with("own id/"+name, func(e *event) { e.own = id })
	}
	for name, at := range map[string]int64{
		"0": 0, "before the epoch": -1, "smallest": math.MinInt64, "largest": math.MaxInt64, "seconds": o.Base.Unix(), "microseconds": o.Base.UnixMicro(), "after 2199": 7258118400000,
	} {
		with("time/"+name, func(e *event) { e.at = at })
	}
	if !o.NoFuture {
		with("time/the end of 2199", func(e *event) { e.at = 7258118399999 })
	}
	items := func(count int64, rest ...byte) []byte { return append(long(count), rest...) }
	sized := func(count, size int64, rest ...byte) []byte {
		return append(append(long(count), long(size)...), rest...)
	}
	deep := bytes.Repeat([]byte{2}, 100_000)
	for name, change := range map[string]func(e *event){
		"boolean/2":                        func(e *event) { e.ok = []byte{2} },
		"boolean/255":                      func(e *event) { e.ok = []byte{255} },
		"int/over 32 bits":                 func(e *event) { e.n = long(1 << 40) },
		"int/over 64 bits":                 func(e *event) { e.n = overlong },
		"enum/no such symbol":              func(e *event) { e.kind = long(7) },
		"enum/negative":                    func(e *event) { e.kind = long(-1) },
		"array/huge count":                 func(e *event) { e.tags = items(math.MaxInt64) },
		"array/smallest count":             func(e *event) { e.tags = sized(math.MinInt64, 0) },
		"array/count beyond the end":       func(e *event) { e.tags = items(1_000_000) },
		"array/size beyond the end":        func(e *event) { e.tags = sized(-1, 1<<30) },
		"array/negative size":              func(e *event) { e.tags = sized(-1, -1) },
		"array/size of other items":        func(e *event) { e.tags = sized(-2, 3, 2, 'a', 0, 0) },
		"array/garbage of a size":          func(e *event) { e.tags = sized(-2, 4, 0xff, 0xff, 0xff, 0xff, 0) },
		"array/no end":                     func(e *event) { e.tags = items(1, 2, 'a') },
		"array/many nulls":                 func(e *event) { e.none = items(1<<40, 0) },
		"array/many blocks of nulls":       func(e *event) { e.none = append(bytes.Repeat(items(1<<19), 100), 0) },
		"array/nulls of a size":            func(e *event) { e.none = sized(-1_000_000_000, 0, 0) },
		"array/boolean of 2":               func(e *event) { e.flags = items(2, 1, 2, 0) },
		"map/key not UTF-8":                func(e *event) { e.entries = items(1, 2, 0xff, 0, 0) },
		"map/a key twice":                  func(e *event) { e.entries = items(2, 2, 'a', 2, 2, 'a', 4, 0) },
		"map/key beyond the end":           func(e *event) { e.entries = append(items(1), long(1<<40)...) },
		"union/no such type":               func(e *event) { e.tree = long(9) },
		"union/negative":                   func(e *event) { e.tree = long(-1) },
		"recursion/deep":                   func(e *event) { e.tree = append(bytes.Clone(deep), 0) },
		"recursion/without an end":         func(e *event) { e.tree = deep },
		"recursion/as deep as samples are": func(e *event) { e.tree = append(deep[:998:998], 0) },
		"recursion/a little less":          func(e *event) { e.tree = append(deep[:990:990], 0) },
		"bytes/length of 1 GiB":            func(e *event) { e.more = append(long(1<<30), 'x') },
		"array/1 GiB of items":             func(e *event) { e.tags = items(1<<30, 0, 0) },
		"large":                            func(e *event) { e.more = text(longText(o.Large)) },
	} {
		with(name, change)
	}
	return all
}

// frame puts a schema's id before a record.
func frame(id int32, record []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), record...)
}

// registryRecords are Avro records behind the id of a schema, or almost.
func registryRecords(random *rand.Rand, o Options) (all []Record) {
	for _, r := range avroRecords(random, o) {
		r.Value = frame(o.SchemaID, r.Value)
		all = append(all, r)
	}
	sound := event{id: Prefix + "framed", at: o.Base.UnixMilli(), own: Prefix + "framed"}.bytes()
	add := func(name string, value []byte) { all = append(all, Record{Name: "frame/" + name, Value: value}) }
	for n := range frameSize {
		add("cut", frame(o.SchemaID, nil)[:n])
	}
	add("without one", sound)
	add("another magic", append([]byte{1}, frame(o.SchemaID, sound)[1:]...))
	add("two", frame(o.SchemaID, frame(o.SchemaID, sound)))
	add("JSON", []byte(`{"id":"`+Prefix+`json","t":1}`))
	for _, id := range append([]int32{0, -1, math.MaxInt32, math.MinInt32, 1_000_000 + random.Int31n(1000)}, o.Useless...) {
		add("schema id", frame(id, sound))
		add("schema id again", frame(id, sound))
	}
	return all
}

const frameSize = 5
