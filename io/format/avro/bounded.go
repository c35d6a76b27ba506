package avro

// Bounded reports that a record which a Projection takes is one that every reader here takes, too:
// that its schema leaves no room for records nested over the limit, nor for more values than are
// gone through that take no bytes. A Projection looks at each part for itself, and at these limits
// in the parts only.
func (s *Schema) Bounded() bool {
	b := bounds{depth: map[*Type]int{}, repeated: map[*Type]bool{}}
	return b.deepest(s.root) < maxDepth-1 && !b.empties(s.root, false)
}

type bounds struct {
	depth    map[*Type]int  // 0 while it is worked out
	repeated map[*Type]bool // looked at as an item
}

// deepest is how deep data of t nest at most.
func (b *bounds) deepest(t *Type) int {
	depth, known := b.depth[t]
	if known && depth == 0 {
		return maxDepth // it holds itself
	}
	if known {
		return depth
	}
	b.depth[t] = 0
	switch t.Kind {
	case KindRecord:
		for _, f := range t.Fields {
			depth = max(depth, b.deepest(f.Type))
		}
		depth++
	case KindArray, KindMap:
		depth = b.deepest(t.Items) + 1
	case KindUnion:
		for _, branch := range t.Branches {
			depth = max(depth, b.deepest(branch))
		}
	default: // not nested
	}
	b.depth[t] = max(depth, 1)
	return b.depth[t]
}

// empties reports whether data of t may hold any number of values that take no bytes.
func (b *bounds) empties(t *Type, item bool) bool {
	if item && t.minSize == 0 {
		return true
	}
	if seen, known := b.repeated[t]; known && (seen || !item) {
		return false
	}
	b.repeated[t] = item
	switch t.Kind {
	case KindRecord:
		for _, f := range t.Fields {
			if b.empties(f.Type, item) {
				return true
			}
		}
	case KindArray, KindMap:
		return b.empties(t.Items, true)
	case KindUnion:
		for _, branch := range t.Branches {
			// A null takes no bytes, but the choice of it does.
			if branch.Kind != KindNull && b.empties(branch, item) {
				return true
			}
		}
	default: // one value
	}
	return false
}
