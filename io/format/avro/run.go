package avro

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"tributary/io/record"
)

// run executes the program from pc on buf from pos, and returns the position behind
// what it read. Text in values points into buf. depth counts the calls and arrays
// around. Text that is not UTF-8 where that is checked sets bad, and is an error if bad is nil.
func (p *program) run(pc int, buf []byte, pos int, values []record.Value, depth int, bad *bool) (int, *DecodeError) {
	code := p.code
	var in *instr
	for {
		in = &code[pc]
		pc++
		start := pos // of the value in question, for messages
		switch in.op {
		case opEnd:
			return pos, nil
		case opSkipFixed:
			if in.n > int64(len(buf)-pos) {
				return 0, p.fail(pc, start, failShort)
			}
			pos += int(in.n)
		case opSkipLongs:
			if pos = skipVarints(buf, pos, in.n); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
		case opSkipInt:
			if pos < len(buf) && buf[pos] < 0x80 {
				pos++
				continue
			}
			var v uint64
			if v, pos = uvarint(buf, pos); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			if v > math.MaxUint32 && !p.lenient {
				return 0, p.fail(pc, start, failInt)
			}
		case opSkipBool:
			if pos >= len(buf) {
				return 0, p.fail(pc, start, failShort)
			}
			if buf[pos] > 1 && !p.lenient {
				return 0, p.fail(pc, start, failBool)
			}
			pos++
		case opSkipText:
			var n int
			if pos < len(buf) && buf[pos]&0x81 == 0 {
				n = int(buf[pos] >> 1)
				if pos++; n > len(buf)-pos {
					return 0, p.fail(pc, start, failShort)
				}
			} else if n, pos = length(buf, pos); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			pos += n
		case opSkipString:
			var n int
			if pos < len(buf) && buf[pos]&0x81 == 0 {
				n = int(buf[pos] >> 1)
				if pos++; n > len(buf)-pos {
					return 0, p.fail(pc, start, failShort)
				}
			} else if n, pos = length(buf, pos); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			if !utf8.Valid(buf[pos : pos+n]) {
				if bad == nil {
					return 0, p.fail(pc, pos, failText)
				}
				*bad = true
			}
			pos += n
		case opCheck:
			if text := values[in.slot].Text; !utf8.Valid(text) {
				if bad == nil {
					return 0, p.fail(pc, pos-len(text), failText)
				}
				*bad = true
			}
		case opSkipEnum:
			if pos = p.symbol(buf, pos, in.n); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
		case opSkipFixedArray:
			// The usual form in one go: a block whose count takes a byte, and the end.
			if pos < len(buf) && buf[pos]&0x81 == 0 {
				size := int64(buf[pos]>>1) * in.n // far below overflow: see sizeCap
				if end := int64(pos) + 1 + size; end < int64(len(buf)) && buf[end] == 0 && size > 0 {
					pos = int(end) + 1
					continue
				}
			}
			if pos = p.skipPlainArray(buf, pos, in); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
		case opSkipLongArray:
			if pos = p.skipPlainArray(buf, pos, in); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
		case opSkipArray:
			var err *DecodeError
			if pos, err = p.skipArray(pc, buf, pos, depth, bad); err != nil {
				return 0, err
			}
			pc = int(in.target)
		case opCall:
			if depth >= maxDepth {
				return 0, p.fail(pc, start, failDepth)
			}
			var err *DecodeError
			if pos, err = p.run(int(in.target), buf, pos, nil, depth+1, bad); err != nil {
				return 0, err.below(p.paths[pc-1])
			}
		case opJump:
			pc = int(in.target)
		case opUnion:
			var branch int
			if branch, pos = index(buf, pos, in.n, failUnion); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			pc = int(p.tables[int(in.target)+branch])
		case opNullable, opNullableSlot:
			var branch int
			if branch, pos = index(buf, pos, 2, failUnion); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			if branch == int(in.n) {
				if in.op == opNullableSlot {
					values[in.slot] = record.Value{}
				}
				pc = int(in.target)
			}
		case opNull:
			values[in.slot] = record.Value{}
		case opCopy:
			values[in.slot] = values[in.n]
		case opLoadBool:
			if pos >= len(buf) {
				return 0, p.fail(pc, start, failShort)
			}
			if buf[pos] > 1 && !p.lenient {
				return 0, p.fail(pc, start, failBool)
			}
			values[in.slot] = record.Value{Kind: record.Bool, Int: int64(buf[pos])}
			pos++
		case opLoadInt, opLoadLong:
			var v uint64
			if v, pos = uvarint(buf, pos); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			if in.op == opLoadInt && v > math.MaxUint32 && !p.lenient {
				return 0, p.fail(pc, start, failInt)
			}
			values[in.slot] = record.Value{Kind: record.Int, Int: zigzag(v)}
		case opLoadFloat:
			if len(buf)-pos < 4 {
				return 0, p.fail(pc, start, failShort)
			}
			f := math.Float32frombits(binary.LittleEndian.Uint32(buf[pos:]))
			values[in.slot] = record.Value{Kind: record.Float, Float: float64(f), Int: 32}
			pos += 4
		case opLoadDouble:
			if len(buf)-pos < 8 {
				return 0, p.fail(pc, start, failShort)
			}
			f := math.Float64frombits(binary.LittleEndian.Uint64(buf[pos:]))
			values[in.slot] = record.Value{Kind: record.Float, Float: f}
			pos += 8
		case opLoadText:
			var n int
			if pos < len(buf) && buf[pos]&0x81 == 0 {
				n = int(buf[pos] >> 1)
				if pos++; n > len(buf)-pos {
					return 0, p.fail(pc, start, failShort)
				}
			} else if n, pos = length(buf, pos); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			values[in.slot] = record.Value{Kind: record.Kind(in.target), Int: int64(in.target >> 8), Text: buf[pos : pos+n : pos+n]}
			pos += n
		case opLoadFixed:
			if in.n > int64(len(buf)-pos) {
				return 0, p.fail(pc, start, failShort)
			}
			end := pos + int(in.n)
			values[in.slot] = record.Value{Kind: record.Kind(in.target), Int: int64(in.target >> 8), Text: buf[pos:end:end]}
			pos = end
		case opLoadEnum:
			if p.lenient {
				if pos = p.symbol(buf, pos, in.n); pos < 0 {
					return 0, p.fail(pc, start, failure(pos))
				}
				continue
			}
			var symbol int
			if symbol, pos = index(buf, pos, in.n, failEnum); pos < 0 {
				return 0, p.fail(pc, start, failure(pos))
			}
			values[in.slot] = record.Value{Kind: record.String, Text: p.texts[int(in.target)+symbol]}
		}
	}
}

// fail makes the error for the instruction before pc. It is kept out of run so that
// run's own frame stays small.
//
//go:noinline
func (p *program) fail(pc, pos int, why failure) *DecodeError {
	return &DecodeError{Path: p.paths[pc-1], Offset: pos, Reason: why.String()}
}

// index reads the index of a union's branch or an enum's symbol, of n.
func index(buf []byte, pos int, n int64, bad failure) (i, next int) {
	if pos < len(buf) && buf[pos]&0x81 == 0 {
		i, next = int(buf[pos]>>1), pos+1
	} else {
		v, end := uvarint(buf, pos)
		switch {
		case end < 0:
			return 0, end
		case v&1 != 0 || v > math.MaxUint32:
			return 0, int(bad)
		}
		i, next = int(v>>1), end
	}
	if int64(i) >= n {
		return 0, int(bad)
	}
	return i, next
}

// symbol steps over an enum's symbol, of n.
func (p *program) symbol(buf []byte, pos int, n int64) int {
	if p.lenient {
		_, pos = uvarint(buf, pos)
		return pos
	}
	_, pos = index(buf, pos, n, failEnum)
	return pos
}

// skipPlainArray steps over an array whose items are of in.n bytes each, or varints. What a
// block says of its length is held against its items: whoever reads them later goes by these.
func (p *program) skipPlainArray(buf []byte, pos int, in *instr) int {
	for {
		count, size, next := blockHeader(buf, pos)
		switch {
		case next < 0 || count == 0:
			return next
		case size >= 0 && p.lenient:
			pos = next + size
		case in.op == opSkipLongArray:
			if count > int64(len(buf)-next) {
				return int(failCount)
			}
			if pos = skipVarints(buf, next, count); pos < 0 {
				return pos
			}
			if size >= 0 && pos != next+size {
				return int(failBlock)
			}
		case in.n == 0 && count > maxEmpty && !p.lenient:
			return int(failMany)
		case size >= 0:
			if in.n == 0 && size > 0 || in.n > 0 && (size%int(in.n) != 0 || int64(size)/in.n != count) {
				return int(failBlock)
			}
			pos = next + size
		case in.n > 0 && count > int64(len(buf)-next)/in.n:
			return int(failCount)
		default:
			pos = next + int(count*in.n)
		}
	}
}

// skipArray steps over an array or map whose items' instructions are at pc.
func (p *program) skipArray(pc int, buf []byte, pos, depth int, bad *bool) (int, *DecodeError) {
	if depth >= maxDepth {
		return 0, p.fail(pc, pos, failDepth)
	}
	for {
		count, size, next := blockHeader(buf, pos)
		switch {
		case next < 0:
			return 0, p.fail(pc, pos, failure(next))
		case count == 0:
			return next, nil
		case size >= 0 && p.lenient:
			pos = next + size
			continue
		case count > int64(len(buf)-next):
			// Items that are not all of one size, and booleans, take a byte at least.
			return 0, p.fail(pc, pos, failCount)
		}
		pos = next
		for range count {
			var err *DecodeError
			if pos, err = p.run(pc, buf, pos, nil, depth+1, bad); err != nil {
				return 0, err.below(p.paths[pc-1] + "[]")
			}
		}
		if size >= 0 && pos != next+size {
			return 0, p.fail(pc, next, failBlock)
		}
	}
}
