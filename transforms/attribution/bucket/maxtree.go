package bucket

import "math/bits"

// maxTree finds the next value that is larger than a bound, in logarithmic time.
type maxTree struct {
	values []int64
	// nodes are the largest values below: node 1 is the root, the children of i are 2i and 2i+1, the leaves are the second half.
	nodes []int64
}

// build makes it of values, which it keeps.
func (t *maxTree) build(values []int64, least int64) {
	t.values = values
	half := 1 << bits.Len(uint(max(len(values), 1)-1))
	if cap(t.nodes) < 2*half {
		t.nodes = make([]int64, 2*half)
	}
	t.nodes = t.nodes[:2*half]
	for i := range t.nodes[half:] {
		t.nodes[half+i] = least
	}
	copy(t.nodes[half:], values)
	for i := half - 1; i > 0; i-- {
		t.nodes[i] = max(t.nodes[2*i], t.nodes[2*i+1])
	}
}

// next is the first position from one on whose value is larger than a bound; len(values) if there is none.
func (t *maxTree) next(from int, bound int64) int {
	n := len(t.values)
	if from >= n {
		return n
	}
	if t.values[from] > bound { // mostly
		return from
	}
	i := len(t.nodes)/2 + from
	for i&1 == 1 || t.nodes[i+1] <= bound { // the subtrees to the right, from the leaf up
		if i >>= 1; i <= 1 {
			return n
		}
	}
	for i++; i < len(t.nodes)/2; {
		if i *= 2; t.nodes[i] <= bound {
			i++
		}
	}
	return min(n, i-len(t.nodes)/2)
}
