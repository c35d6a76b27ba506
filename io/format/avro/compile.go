package avro

import (
	"maps"
	"slices"

	"tributary/io/record"
)

// want is the part of a type that a projection reads.
type want struct {
	slot   int   // of a scalar; -1 if this is a record on the way to one
	also   []int // slots that are to hold the same: of a field that is wanted by name and by alias
	fields map[string]*want
}

// and returns what is wanted of a field by two of its names.
func (w *want) and(other *want) *want {
	if w == nil {
		return other
	}
	if w.slot >= 0 {
		return &want{slot: w.slot, also: append(slices.Clone(w.also), other.slots()...)}
	}
	both := &want{slot: -1, fields: maps.Clone(w.fields)}
	for name, below := range other.fields {
		both.fields[name] = both.fields[name].and(below)
	}
	return both
}

// slots lists the slots at and below w, in ascending order.
func (w *want) slots() []int {
	if w == nil {
		return nil
	}
	if w.slot >= 0 {
		return append([]int{w.slot}, w.also...)
	}
	var all []int
	for _, name := range slices.Sorted(maps.Keys(w.fields)) {
		all = append(all, w.fields[name].slots()...)
	}
	slices.Sort(all)
	return all
}

// inlineWeight is how many instructions a record may take to be written out where it
// is used; larger and recursive ones are called. A call costs about as much as two
// instructions.
const inlineWeight = 32

// compiler writes a program.
type compiler struct {
	p       program
	checked bool // text is checked: see ProjectChecked
	barrier int  // a jump leads to this place in code: nothing merges across it
	calls   []call
	parts   map[*Type]int32 // where the part of a type begins, once it is compiled
	weights map[*Type]int
}

// call is a place in code that calls the part for a type.
type call struct {
	at int
	to *Type
}

// compile writes the program that steps over a t and loads what w wants (nil: nothing).
func compile(t *Type, w *want, checked bool) *program {
	c := compiler{parts: map[*Type]int32{}, weights: map[*Type]int{}, checked: checked}
	if t.Kind == KindRecord {
		c.fields(t, w, "") // even if it is all of one size: messages name the field
	} else {
		c.add(t, w, "")
	}
	return c.finish()
}

// compileFields writes the program that steps over some successive fields.
func compileFields(fields []RecordField) *program {
	c := compiler{parts: map[*Type]int32{}, weights: map[*Type]int{}}
	for _, f := range fields {
		c.add(f.Type, nil, f.Name)
	}
	return c.finish()
}

func (c *compiler) finish() *program {
	c.emit(instr{op: opEnd}, "")
	// Parts may call further parts, so the list grows on the way.
	for i := 0; i < len(c.calls); i++ {
		t := c.calls[i].to
		if _, done := c.parts[t]; !done {
			c.parts[t] = c.here()
			c.fields(t, nil, "")
			c.emit(instr{op: opEnd}, "")
		}
		c.p.code[c.calls[i].at].target = c.parts[t]
	}
	return &c.p
}

func (c *compiler) emit(in instr, path string) int {
	n := len(c.p.code)
	if in.op <= opSkipLongs && in.op != opEnd && n > c.barrier {
		last := &c.p.code[n-1]
		if last.op == in.op && last.n < sizeCap {
			last.n += in.n
			return n - 1
		}
	}
	c.p.code = append(c.p.code, in)
	c.p.paths = append(c.p.paths, path)
	return n
}

// here is the place of the next instruction, as the target of a jump.
func (c *compiler) here() int32 {
	c.barrier = len(c.p.code)
	return int32(c.barrier)
}

// add writes the instructions for a value of type t.
func (c *compiler) add(t *Type, w *want, path string) {
	switch {
	case w == nil && t.fixed >= 0 && !t.bools:
		if t.fixed > 0 {
			c.emit(instr{op: opSkipFixed, n: t.fixed}, path)
		}
	case t.Kind == KindUnion:
		c.union(t, w, path)
	case t.Kind == KindRecord:
		if w == nil && c.weight(t, nil) > inlineWeight {
			c.calls = append(c.calls, call{c.emit(instr{op: opCall}, path), t})
			return
		}
		c.fields(t, w, path)
	case w != nil:
		c.load(t, w.slot, path)
		if c.checked && t.Kind == KindString {
			c.emit(instr{op: opCheck, slot: int32(w.slot)}, path)
		}
		for _, slot := range w.also {
			c.emit(instr{op: opCopy, slot: int32(slot), n: int64(w.slot)}, path)
		}
	default:
		c.skip(t, path)
	}
}

func (c *compiler) fields(t *Type, w *want, path string) {
	wanted := make([]*want, len(t.Fields))
	if w != nil {
		for _, name := range slices.Sorted(maps.Keys(w.fields)) {
			if i := t.field(name); i >= 0 {
				wanted[i] = wanted[i].and(w.fields[name])
			}
		}
	}
	for i, f := range t.Fields {
		c.add(f.Type, wanted[i], join(path, f.Name))
	}
}

func (c *compiler) skip(t *Type, path string) {
	switch t.Kind {
	case KindBoolean:
		c.emit(instr{op: opSkipBool}, path)
	case KindInt:
		c.emit(instr{op: opSkipInt}, path)
	case KindLong:
		c.emit(instr{op: opSkipLongs, n: 1}, path)
	case KindEnum:
		c.emit(instr{op: opSkipEnum, n: int64(len(t.Symbols))}, path)
	case KindArray:
		switch {
		case t.Items.fixed >= 0 && !t.Items.bools:
			c.emit(instr{op: opSkipFixedArray, n: t.Items.fixed}, path)
		case t.Items.Kind == KindLong:
			c.emit(instr{op: opSkipLongArray}, path)
		default:
			c.items(t, path)
		}
	case KindMap:
		c.items(t, path)
	case KindString:
		c.string(path)
	default: // bytes; all others are fixed
		c.emit(instr{op: opSkipText}, path)
	}
}

// string writes the step over a string.
func (c *compiler) string(path string) {
	in := instr{op: opSkipText}
	if c.checked {
		in.op = opSkipString
	}
	c.emit(in, path)
}

// items writes the loop over an array's items or a map's entries.
func (c *compiler) items(t *Type, path string) {
	loop := c.emit(instr{op: opSkipArray}, path)
	c.here()
	// Paths inside start afresh: the loop puts its own in front.
	if t.Kind == KindMap {
		c.string("")
	}
	c.add(t.Items, nil, "")
	c.emit(instr{op: opEnd}, "")
	c.p.code[loop].target = c.here()
}

// loads packs the kind of a text's or a fixed's value with its Int: a decimal's scale, or 1 for
// a UUID that is text.
func (t *Type) loads() int32 {
	kind, _ := t.event()
	extra := 0
	switch {
	case kind == record.Decimal:
		extra = t.Scale
	case kind == record.UUID && t.Kind == KindString:
		extra = 1
	}
	return int32(kind) | int32(extra)<<8
}

func (c *compiler) load(t *Type, slot int, path string) {
	in := instr{slot: int32(slot)}
	switch t.Kind {
	case KindNull:
		in.op = opNull
	case KindBoolean:
		in.op = opLoadBool
	case KindInt:
		in.op = opLoadInt
	case KindLong:
		in.op = opLoadLong
	case KindFloat:
		in.op = opLoadFloat
	case KindDouble:
		in.op = opLoadDouble
	case KindString, KindBytes:
		in.op, in.target = opLoadText, t.loads()
	case KindFixed:
		in.op, in.n, in.target = opLoadFixed, int64(t.Size), t.loads()
	default: // enum: Lookup lets nothing else through
		in.op, in.n, in.target = opLoadEnum, int64(len(t.Symbols)), int32(len(c.p.texts))
		for _, s := range t.Symbols {
			c.p.texts = append(c.p.texts, []byte(s))
		}
	}
	c.emit(in, path)
}

// union writes the choice among a union's branches. A branch gives null for what is
// wanted and not in it.
func (c *compiler) union(t *Type, w *want, path string) {
	if len(t.Branches) == 2 {
		for null, b := range t.Branches {
			if b.Kind == KindNull {
				c.nullable(null, t.Branches[1-null], w, path)
				return
			}
		}
	}
	table := len(c.p.tables)
	c.p.tables = append(c.p.tables, make([]int32, len(t.Branches))...)
	c.emit(instr{op: opUnion, n: int64(len(t.Branches)), target: int32(table)}, path)
	var jumps []int
	for i, b := range t.Branches {
		c.p.tables[table+i] = c.here()
		c.branch(b, w, path)
		if i < len(t.Branches)-1 {
			jumps = append(jumps, c.emit(instr{op: opJump}, path))
		}
	}
	c.jumpHere(jumps)
}

func (c *compiler) nullable(null int, other *Type, w *want, path string) {
	slots := w.slots()
	in := instr{op: opNullable, n: int64(null)}
	if len(slots) == 1 {
		in.op, in.slot = opNullableSlot, int32(slots[0])
	}
	at := c.emit(in, path)
	c.here()
	c.branch(other, w, path)
	if len(slots) < 2 {
		c.jumpHere([]int{at})
		return
	}
	jump := c.emit(instr{op: opJump}, path)
	c.jumpHere([]int{at})
	c.nulls(slots, path)
	c.jumpHere([]int{jump})
}

func (c *compiler) jumpHere(from []int) {
	to := c.here()
	for _, at := range from {
		c.p.code[at].target = to
	}
}

func (c *compiler) branch(t *Type, w *want, path string) {
	if w == nil {
		c.add(t, nil, path)
		return
	}
	if w.slot >= 0 {
		c.add(t, w, path) // null loads null
		return
	}
	if t.Kind != KindRecord {
		c.nulls(w.slots(), path)
		c.add(t, nil, path)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(w.fields)) {
		if t.field(name) < 0 {
			c.nulls(w.fields[name].slots(), path)
		}
	}
	c.add(t, w, path)
}

func (c *compiler) nulls(slots []int, path string) {
	for _, slot := range slots {
		c.emit(instr{op: opNull, slot: int32(slot)}, path)
	}
}

// weight is about how many instructions stepping over a t takes; a lot for types that
// hold themselves.
func (c *compiler) weight(t *Type, around []*Type) int {
	if t.fixed >= 0 && !t.bools {
		return 1
	}
	if w, ok := c.weights[t]; ok {
		return w
	}
	if slices.Contains(around, t) {
		return inlineWeight + 1
	}
	around = append(around, t)
	w := 1
	switch t.Kind {
	case KindRecord:
		for _, f := range t.Fields {
			w += c.weight(f.Type, around)
		}
	case KindUnion:
		for _, b := range t.Branches {
			w += 1 + c.weight(b, around)
		}
	case KindArray, KindMap:
		w += 2 + c.weight(t.Items, around)
	default: // one instruction
	}
	w = min(w, inlineWeight+1)
	c.weights[t] = w
	return w
}
