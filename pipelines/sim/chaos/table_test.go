package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTable(t *testing.T) {
	table := Table{Doubled: 2}
	for _, seconds := range []int{9, 4, 5} {
		table.Add("worker killed", time.Duration(seconds)*time.Second)
	}
	table.Add("none", 3100*time.Millisecond)
	assert.Equal(t, ""+
		"          fault  times  fastest s  median s  slowest s\n"+
		"           none      1        3.1       3.1        3.1\n"+
		"  worker killed      3        4.0       5.0        9.0\n"+
		"samples lost: 0, doubled: 2\n", table.String())
}
