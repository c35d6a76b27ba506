package avro

// op is what one instruction of a program does. A program walks over one datum from
// left to right; "slot" is where a value goes.
type op uint8

const (
	opEnd            op = iota // the datum, or the part a call was for, is over
	opSkipFixed                // n bytes
	opSkipLongs                // n varints
	opSkipInt                  // a varint of 32 bits
	opSkipBool                 // a byte that is 0 or 1
	opSkipText                 // bytes with their length before them
	opSkipString               // likewise, and they must be UTF-8
	opSkipEnum                 // a symbol, of n
	opSkipFixedArray           // an array of items of n bytes each
	opSkipLongArray            // an array of varints
	opSkipArray                // an array or map; the item's instructions follow, go on at target
	opCall                     // the part at target, up to its opEnd; then go on here
	opJump                     // go on at target
	opUnion                    // n branches; go on at tables[target+branch]
	opNullable                 // a union of null and another: branch n is null, go on at target; else here
	opNullableSlot             // likewise, and the slot is null then
	opNull                     // the slot is null; no bytes
	opCheck                    // the slot must be UTF-8; no bytes
	opCopy                     // the slot is what slot n is; no bytes
	opLoadBool
	opLoadInt
	opLoadLong
	opLoadFloat
	opLoadDouble
	opLoadText  // bytes with their length before them; target is the kind of value and its Int (loads)
	opLoadFixed // n bytes; target likewise
	opLoadEnum  // a symbol: texts[target:target+n]
)

// instr is one instruction.
type instr struct {
	op     op
	slot   int32
	target int32
	n      int64
}

// program steps over a datum of one schema and loads some of its fields.
//
// Instructions in one flat array, in the order of the bytes, measured better than a
// tree of closures: neighbours share cache lines, and the dispatch is one jump.
type program struct {
	code   []instr
	paths  []string // of the field each instruction is for, for messages
	tables []int32
	texts  [][]byte
	// lenient: what is not sound, but ends where the schema says, is stepped over.
	lenient bool
}
