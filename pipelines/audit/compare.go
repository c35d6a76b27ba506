package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// comparison compares a sink with what it must hold, part by part.
type comparison struct {
	sink     *sink
	result   *SinkResult
	schemas  *schemas
	examples int
	// keyed: views share keys, by which shards are then.
	keyed bool
	// transactions are those of a topic, with so many partitions.
	transactions *transactions
	partitions   int
	compacted    bool
	// deletions: records without a value are looked at as such, and are none that cannot be read.
	deletions bool
	// trimmed are the partitions that have let go of their first records, with when the first was written that is there, in ms.
	trimmed map[int32]int64
	// late says that the topic has samples that were corrected for late engagements.
	late bool
	// there are the files of the folder.
	there map[string]bool

	rows map[rowKey]*Counts
	// told are the examples of each class.
	told map[Class][]Finding
}

// noHour is that of what has no time.
const noHour = math.MinInt64

func newComparison(k *sink, examples int, keyed bool) *comparison {
	return &comparison{
		sink: k, result: newSinkResult(k), schemas: newSchemas(), examples: examples, keyed: keyed, there: map[string]bool{}, trimmed: map[int32]int64{},
		rows: map[rowKey]*Counts{}, told: map[Class][]Finding{},
	}
}

// stage are the counts of a stage; of a name that there is not, those of the last.
func (c *comparison) stage(name string) *Counts {
	at := slices.IndexFunc(c.result.Stages, func(s StageResult) bool { return s.Stage == name })
	if at < 0 {
		at = len(c.result.Stages) - 1
	}
	return &c.result.Stages[at].Counts
}

// row are the counts of a row.
func (c *comparison) row(stage, partition string, hour int64) *Counts {
	key := rowKey{stage, partition, hour}
	if c.rows[key] == nil {
		c.rows[key] = &Counts{}
	}
	return c.rows[key]
}

// idleIDs are ids of views that idle partitions concern: at each stage, and where stages before the last show; corrected are the views, by viewKey,
// of which a correction counts that is right: what else is written of them matters to nobody.
type idleIDs struct{ all, early, corrected map[string]bool }

// part compares the entries of one part: all that there are of each id in it.
func (c *comparison) part(entries []entry) error {
	var want, have, beside, corrections, late []*entry
	lost := map[string]*entry{} // records that were not committed, by the sample's key
	idle, refused := idleIDs{all: map[string]bool{}, early: map[string]bool{}}, map[string]bool{}
	for i := range entries {
		e := &entries[i]
		switch e.side {
		case sideWant:
			want = append(want, e)
		case sideIdle:
			idle.all[string(e.id)] = true
		case sideEarly:
			idle.early[string(e.id)] = true
		case sideRefused:
			refused[string(e.id)] = true
		case sideLate:
			late = append(late, e)
		case sideBeside:
			if state := c.transactions.of(e); state == committed || state == held {
				beside = append(beside, e)
			}
		default:
			switch is := c.is(e, lost); {
			case is && e.corrected != asJoined:
				corrections = append(corrections, e)
			case is:
				have = append(have, e)
			}
		}
	}
	var err error
	if idle.corrected, err = c.corrections(corrections, have, want, late); err != nil {
		return err
	}
	slices.SortFunc(want, compareKeys)
	slices.SortFunc(have, func(a, b *entry) int {
		return cmp.Or(compareKeys(a, b), cmp.Compare(b.group, a.group), cmp.Compare(c.astray(a), c.astray(b)), cmp.Compare(a.file, b.file), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	have = c.once(have)
	if c.compacted {
		beside = append(append(beside, have...), corrections...)
		slices.SortFunc(beside, compareKeys)
	}
	missing, extra, err := c.match(want, have)
	if err != nil {
		return err
	}
	missing, extra, pairs := pair(missing, extra)
	for _, p := range pairs {
		if err := c.differs(p[0], p[1], idle); err != nil {
			return err
		}
	}
	for _, w := range missing {
		if c.compacted && !idle.corrected[viewKey(w)] && newer(beside, w) {
			c.stage(w.stage).Compacted++
			continue
		}
		if refused[string(w.id)] && !idle.corrected[viewKey(w)] {
			c.stage(w.stage).TooLarge++
			c.row(w.stage, c.partitionOf(w), hourOf(w)).TooLarge++
			continue
		}
		c.missing(w, lost[keyOf(w)], idle)
	}
	for _, h := range extra {
		c.find(Extra, h.stage, c.where(h), h, idle, Finding{})
	}
	return nil
}

// is tells whether a record is in the sink for who reads what is committed; lost takes it if it is not.
func (c *comparison) is(e *entry, lost map[string]*entry) bool {
	name := c.stageOf(e)
	count := func(of func(*Counts) *int64) {
		*of(c.stage(name))++
		*of(c.row(name, c.where(e), hourOf(e)))++
	}
	switch c.transactions.of(e) {
	case aborted:
		count(func(n *Counts) *int64 { return &n.Aborted })
		lost[keyOf(e)] = e
		return false
	case open:
		count(func(n *Counts) *int64 { return &n.Open })
		lost[keyOf(e)] = e
		return false
	case held:
		count(func(n *Counts) *int64 { return &n.HeldBack })
	default:
	}
	c.stage(name).Found++
	return true
}

// stageOf is the stage that a sample of a sink stands for.
func (c *comparison) stageOf(e *entry) string {
	if e.file != "" {
		return e.folder
	}
	return e.stage
}

func keyOf(e *entry) string {
	return fmt.Sprintf("%s\x00%d\x00%s\x00%d", e.id, e.time, e.stage, e.version)
}

func hourOf(e *entry) int64 { return floor(e.time, hourMs) }

// once leaves one copy of each sample: the first, of the newest version of its group.
func (c *comparison) once(have []*entry) []*entry {
	out := have[:0]
	var first *entry
	for _, e := range have {
		if first == nil || compareKeys(first, e) != 0 {
			first = e
			out = append(out, e)
			continue
		}
		n := c.stage(c.stageOf(e))
		switch {
		case e.group < first.group:
			n.Superseded++
		case c.sink.atLeastOnce && e.schema == first.schema && bytes.Equal(e.raw, first.raw):
			n.Repeated++
		default:
			c.find(Doubled, c.stageOf(e), c.where(e), e, idleIDs{}, Finding{Note: "it is there as well at " + c.placeOf(first)})
		}
	}
	return out
}

// astray is 1 for a sample in the folder of another stage.
func (c *comparison) astray(e *entry) int {
	if e.file != "" && !c.sink.final() && e.folder != e.stage {
		return 1
	}
	return 0
}

// placeOf says in words where a sample is.
func (c *comparison) placeOf(e *entry) string {
	if e.file != "" {
		return fmt.Sprintf("sample %d of %s", e.offset, e.file)
	}
	return fmt.Sprintf("offset %d of partition %d", e.offset, e.partition)
}

// match compares what both sides have, and returns what one alone has.
func (c *comparison) match(want, have []*entry) (missing, extra []*entry, err error) {
	for len(want) > 0 && len(have) > 0 {
		switch w, h := want[0], have[0]; compareKeys(w, h) {
		case -1:
			missing, want = append(missing, w), want[1:]
		case 1:
			extra, have = append(extra, h), have[1:]
		default:
			want, have = want[1:], have[1:]
			if w.schema == h.schema && bytes.Equal(w.raw, h.raw) && c.astray(h) == 0 {
				c.stage(w.stage).Equal++
				continue
			}
			missing, extra = append(missing, w), append(extra, h)
		}
	}
	return append(missing, want...), append(extra, have...), nil
}

// pair pairs what is missing with what is there in its place: a sample of the same view that has the same key, or the same time, or the
// same stage and version. Both are in order of their keys.
func pair(missing, extra []*entry) (alone, others []*entry, pairs [][2]*entry) {
	taken := make([]bool, len(extra))
	for _, w := range missing {
		at, best := -1, 0
		first, _ := slices.BinarySearchFunc(extra, w, func(h, w *entry) int { return bytes.Compare(h.id, w.id) })
		for i := first; i < len(extra) && bytes.Equal(extra[i].id, w.id); i++ {
			if near := alike(w, extra[i]); !taken[i] && near > best {
				at, best = i, near
			}
		}
		if at < 0 {
			alone = append(alone, w)
			continue
		}
		taken[at] = true
		pairs = append(pairs, [2]*entry{w, extra[at]})
	}
	for i, h := range extra {
		if !taken[i] {
			others = append(others, h)
		}
	}
	return alone, others, pairs
}

// alike is how much of their keys two samples of a view share; 0 if they are not the same one.
func alike(w, h *entry) int {
	times, stages := w.time == h.time, w.stage == h.stage
	switch {
	case times && stages && w.version == h.version:
		return 5
	case times && stages:
		return 4
	case times && w.version == h.version:
		return 3
	case stages && w.version == h.version:
		return 2
	case times && h.file != "" && h.folder == w.stage:
		return 1
	}
	return 0
}

// newer tells whether there is a sample of the same key in the topic that comes behind a sample; there are all that the topic has.
func newer(have []*entry, w *entry) bool {
	first, _ := slices.BinarySearchFunc(have, w, func(h, w *entry) int { return bytes.Compare(h.id, w.id) })
	for ; first < len(have) && bytes.Equal(have[first].id, w.id); first++ {
		if h := have[first]; h.time > w.time || h.time == w.time && h.version > w.version {
			return true
		}
	}
	return false
}

// differs compares two samples of a view field by field.
func (c *comparison) differs(w, h *entry, idle idleIDs) error {
	want, err := c.schemas.all[w.schema].asJSON(w.raw)
	if err != nil {
		return err
	}
	got, err := c.schemas.all[h.schema].asJSON(h.raw)
	if err != nil {
		return err
	}
	fields := differences(want, got)
	if len(fields) == 0 && h.file != "" && h.folder != w.stage {
		fields = append(fields, Difference{"(folder)", strconv.Quote(w.stage), strconv.Quote(h.folder)})
	}
	if len(fields) == 0 && (w.schema != h.schema || want == got && c.schemas.all[w.schema].text) {
		c.stage(w.stage).Equal++ // written with another schema that says the same
		return nil
	}
	if len(fields) == 0 {
		fields = append(fields, Difference{"(encoding)", fmt.Sprintf("%d bytes", len(w.raw)), fmt.Sprintf("%d bytes", len(h.raw))})
	}
	if c.find(Different, w.stage, c.where(h), h, idle, Finding{Fields: fields}) {
		if c.result.Fields == nil {
			c.result.Fields = map[string]int64{}
		}
		for _, d := range fields {
			c.result.Fields[d.Field]++
		}
	}
	return nil
}

// missing tells of a sample that is not in the sink; lost is one of its key that was not committed, nil for none.
func (c *comparison) missing(w, lost *entry, idle idleIDs) {
	var f Finding
	partition := ""
	switch of := c.sink.of(w.stage); {
	case c.sink.topic():
		partition = c.partitionOf(w)
	case of != nil:
		if shard, file, ok := c.sink.place(of, w, c.keyed); ok {
			partition, f.File = strconv.Itoa(int(shard)), file
		}
	}
	if f.File != "" && !c.there[f.File] {
		f.Note = "its file is not there"
	}
	if lost != nil {
		f.Note = "it is at " + c.placeOf(lost) + ", in a transaction that was aborted"
		if c.transactions.of(lost) == open {
			f.Note = "it is at " + c.placeOf(lost) + ", in a transaction that is open"
		}
	}
	gone := f.File
	if !c.find(Missing, w.stage, partition, w, idle, f) || gone == "" || c.there[gone] {
		return
	}
	if c.result.MissingFiles == nil {
		c.result.MissingFiles = map[string]int64{}
	}
	if _, known := c.result.MissingFiles[gone]; known || len(c.result.MissingFiles) < MostFiles {
		c.result.MissingFiles[gone]++
	}
}

// where is the partition or shard of a sample that is there.
func (c *comparison) where(e *entry) string {
	if e.partition == noShard {
		return ""
	}
	return strconv.Itoa(int(e.partition))
}

// partitionOf is the partition that a sample of the topic goes to, by its key.
func (c *comparison) partitionOf(e *entry) string {
	if c.partitions == 0 {
		return ""
	}
	return strconv.Itoa(int(c.partitionNumber(e)))
}

func (c *comparison) partitionNumber(e *entry) int32 {
	of := kgo.StickyKeyPartitioner(nil).ForTopic(c.sink.output.Topic)
	return int32(of.Partition(&kgo.Record{Key: e.id}, c.partitions))
}

// find counts a finding, and keeps it if it is among the first. It is none, and false, if it is of a view that idle partitions
// concern, or whose sample a repair has corrected.
func (c *comparison) find(class Class, stage, partition string, e *entry, idle idleIDs, f Finding) bool {
	of := c.sink.of(stage)
	afterIdle := idle.all[string(e.id)] || of != nil && of.early && idle.early[string(e.id)]
	if idle.corrected[viewKey(e)] {
		if afterIdle && of != nil {
			of.setApart(e.time)
		}
		return false
	}
	n, row := c.stage(stage), c.row(stage, partition, hourOf(e))
	if afterIdle {
		n.AfterIdle++
		if of != nil {
			of.setApart(e.time)
		}
		row.AfterIdle++
		return false
	}
	*n.of(class)++
	*row.of(class)++
	f.Class, f.Stage, f.Partition, f.ViewID, f.ViewTime, f.Version = class, stage, partition, string(e.id), timeOf(e.time), e.version
	if e.side == sideHave {
		offset := e.offset
		f.Offset, f.File = &offset, e.file
	}
	c.tell(f)
	return true
}

// unreadable counts what is no sample.
func (c *comparison) unreadable(f Finding) {
	f.Class = Unreadable
	c.stage(f.Stage).Unreadable++
	c.row(f.Stage, f.Partition, noHour).Unreadable++
	c.tell(f)
}

// tell keeps a finding if it is one of the first of its class, by the views' times.
func (c *comparison) tell(f Finding) {
	told := c.told[f.Class]
	at, _ := slices.BinarySearchFunc(told, f, before)
	if at < c.examples {
		told = slices.Insert(told, at, f)
		c.told[f.Class] = told[:min(len(told), c.examples)]
	}
}

func before(a, b Finding) int {
	ms := func(f Finding) int64 {
		if f.ViewTime == nil {
			return noHour
		}
		return f.ViewTime.UnixMilli()
	}
	return cmp.Or(cmp.Compare(ms(a), ms(b)), cmp.Compare(a.ViewID, b.ViewID), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Version, b.Version))
}

// tellDue tells of the stages of which nothing is complete in the range, though it must be.
func (c *comparison) tellDue() {
	for i := range c.sink.stages {
		of := &c.sink.stages[i]
		if of.missed == 0 {
			continue
		}
		note := "nothing of it is known to be complete"
		if of.closed != math.MinInt64 {
			note = "it is complete before " + momentOf(of.closed) + " only"
		}
		c.stage(of.name).Incomplete++
		c.row(of.name, "", noHour).Incomplete++
		c.tell(Finding{Class: Incomplete, Stage: of.name, Note: fmt.Sprintf("%s, and before %s it must be, as the rest of the job is: the join has %d samples of views before then", note, momentOf(of.due), of.missed)})
	}
}

// finish returns the result.
func (c *comparison) finish() *SinkResult {
	c.tellGroups()
	c.tellDue()
	r := c.result
	for _, s := range r.Stages {
		r.Findings += s.Findings()
	}
	r.Rows = rowsOf(c.rows)
	for _, class := range Classes {
		r.Examples = append(r.Examples, c.told[class]...)
	}
	return r
}
