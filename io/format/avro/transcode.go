package avro

import (
	"encoding/binary"
	"math"
	"sync"
	"unicode/utf8"
)

// Append appends the record at the start of datum, as the reader's schema has it, to
// dst, and returns how many bytes of datum the record takes. The error is a
// *DecodeError; dst is then returned as it was.
func (r *Resolution) Append(dst, datum []byte) (out []byte, n int, err error) {
	t := transcoders.Get().(*transcoder)
	t.buf, t.out = datum, dst
	failed := t.do(r.root, 0)
	t.flush()
	out, n = t.out, t.pos
	*t = transcoder{offsets: t.offsets[:0]}
	transcoders.Put(t)
	if failed != nil {
		return out[:len(dst)], 0, failed
	}
	return out, n, nil
}

var transcoders = sync.Pool{New: func() any { return &transcoder{} }}

// transcoder is the state of one Append. What is to be taken as it is stays pending in
// buf[from:pos] until something else must be written, so that long runs of unchanged
// fields are copied at once.
type transcoder struct {
	buf, out []byte
	pos      int // what of buf was read
	from     int
	empty    int64 // values so far that took no bytes
	offsets  []int // a stack, of fields in records that are reordered
}

func (t *transcoder) flush() {
	t.out = append(t.out, t.buf[t.from:t.pos]...)
	t.from = t.pos
}

func (t *transcoder) fail(why int) *DecodeError {
	return &DecodeError{Offset: t.pos, Reason: failure(why).String()}
}

func (t *transcoder) run(p *program, depth int) (err *DecodeError) {
	next, err := p.run(0, t.buf, t.pos, nil, depth, nil)
	if err == nil {
		t.pos = next
	}
	return err
}

func (t *transcoder) do(s *step, depth int) *DecodeError {
	switch s.op {
	case stepPass:
		return t.run(s.program, depth)
	case stepDrop:
		t.flush()
		err := t.run(s.program, depth)
		t.from = t.pos
		return err
	case stepEmit:
		t.flush()
		t.out = append(t.out, s.bytes...)
		return nil
	case stepSequence:
		return t.sequence(s, depth)
	case stepReorder:
		return t.reorder(s, depth)
	case stepNumber:
		return t.number(s)
	case stepEnum:
		i, next := index(t.buf, t.pos, int64(len(s.symbols)), failEnum)
		if next < 0 {
			return t.fail(next)
		}
		if s.symbols[i] < 0 {
			return t.fail(int(failSymbol))
		}
		t.flush()
		t.out = binary.AppendVarint(t.out, int64(s.symbols[i]))
		t.pos, t.from = next, next
		return nil
	case stepSymbol:
		i, next := index(t.buf, t.pos, int64(len(s.texts)), failEnum)
		if next < 0 {
			return t.fail(next)
		}
		t.flush()
		t.out = append(t.out, s.texts[i]...)
		t.pos, t.from = next, next
		return nil
	case stepText:
		n, next := length(t.buf, t.pos)
		if next < 0 {
			return t.fail(next)
		}
		if !utf8.Valid(t.buf[next : next+n]) {
			return t.fail(int(failText))
		}
		t.pos = next + n
		return nil
	case stepUnion:
		i, next := index(t.buf, t.pos, int64(len(s.children)), failUnion)
		if next < 0 {
			return t.fail(next)
		}
		if s.children[i] == nil {
			return t.fail(int(failBranch))
		}
		t.flush()
		t.pos, t.from = next, next
		return t.do(s.children[i], depth)
	default:
		return t.items(s, depth)
	}
}

func (t *transcoder) sequence(s *step, depth int) *DecodeError {
	if s.nested {
		if depth++; depth > maxDepth {
			return t.fail(int(failDepth))
		}
	}
	for _, child := range s.children {
		if err := t.do(child, depth); err != nil {
			return err.below(s.name)
		}
	}
	return nil
}

// reorder finds where each of the writer's fields is, then takes them in the reader's
// order.
func (t *transcoder) reorder(s *step, depth int) *DecodeError {
	if depth++; depth > maxDepth {
		return t.fail(int(failDepth))
	}
	t.flush()
	base := len(t.offsets)
	for _, p := range s.fields {
		t.offsets = append(t.offsets, t.pos)
		if err := t.run(p, depth); err != nil {
			return err
		}
	}
	end := t.pos
	t.from = end // nothing is pending
	for i, child := range s.children {
		if from := s.sources[i]; from >= 0 {
			t.pos = t.offsets[base+from]
			t.from = t.pos
		}
		if err := t.do(child, depth); err != nil {
			return err
		}
		t.flush()
	}
	t.offsets = t.offsets[:base]
	t.pos, t.from = end, end
	return nil
}

func (t *transcoder) number(s *step) *DecodeError {
	t.flush()
	if s.from == KindFloat { // to double
		if len(t.buf)-t.pos < 4 {
			return t.fail(int(failShort))
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(t.buf[t.pos:]))
		t.out = binary.LittleEndian.AppendUint64(t.out, math.Float64bits(float64(f)))
		t.pos += 4
		t.from = t.pos
		return nil
	}
	v, next := uvarint(t.buf, t.pos)
	switch {
	case next < 0:
		return t.fail(next)
	case s.from == KindInt && v > math.MaxUint32:
		return t.fail(int(failInt))
	}
	if s.to == KindFloat {
		t.out = binary.LittleEndian.AppendUint32(t.out, math.Float32bits(float32(zigzag(v))))
	} else {
		t.out = binary.LittleEndian.AppendUint64(t.out, math.Float64bits(float64(zigzag(v))))
	}
	t.pos, t.from = next, next
	return nil
}

// items does the child for each item of an array or entry of a map. Blocks stay as
// they are, but for their lengths in bytes, which would no longer be true.
func (t *transcoder) items(s *step, depth int) *DecodeError {
	if depth++; depth > maxDepth {
		return t.fail(int(failDepth))
	}
	for {
		count, size, next := blockHeader(t.buf, t.pos)
		if next < 0 {
			return t.fail(next)
		}
		if size >= 0 {
			t.flush()
			t.out = binary.AppendVarint(t.out, count)
			t.from = next
		}
		if s.minSize == 0 {
			if t.empty += min(count, maxEmpty+1); t.empty > maxEmpty {
				return t.fail(int(failMany))
			}
		} else if count > int64(len(t.buf)-next)/s.minSize {
			return t.fail(int(failCount))
		}
		t.pos = next
		if count == 0 {
			return nil
		}
		for range count {
			if err := t.item(s, depth); err != nil {
				return err.below("[]")
			}
		}
		if size >= 0 && t.pos != next+size {
			return t.fail(int(failBlock))
		}
	}
}

func (t *transcoder) item(s *step, depth int) *DecodeError {
	if s.op == stepMap {
		n, next := length(t.buf, t.pos)
		if next < 0 {
			return t.fail(next)
		}
		t.pos = next + n
	}
	return t.do(s.children[0], depth)
}
