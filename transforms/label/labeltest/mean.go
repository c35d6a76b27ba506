// Package labeltest has a label function that only tests know: it shows what one needs.
package labeltest

import (
	"encoding/binary"
	"math"

	"tributary/transforms/label"
)

// Mean is the mean of a field, 0 when nothing counts.
var Mean = label.Register(label.Definition{
	Name:  "mean",
	Doc:   "The mean of this field.",
	Place: 9,
	Takes: label.Number,
	Type:  "double",
	Append: func(dst []byte, t *label.Totals) []byte {
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(t.Sum/max(float64(t.Numbers), 1)))
	},
	Holds: "a number",
	Fits:  func(form label.Form, _ string) bool { return form == label.Int || form == label.Float },
})
