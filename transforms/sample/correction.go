package sample

import (
	"encoding/binary"
	"fmt"

	"tributary/io/wire"
)

// Correction says that a sink has written the samples of a (shard, bucket) of a stage again, with other content: what
// the next stage has said of these views is to be written behind that.
type Correction struct {
	// Start is the event time at which the bucket starts (ms).
	Start int64
	Shard int64
	// Times is how often they were corrected, from 1.
	Times int64
}

// EncodeCorrection returns a correction as bytes.
func EncodeCorrection(c Correction) []byte {
	return binary.AppendUvarint(binary.AppendVarint(binary.AppendVarint(nil, c.Start), c.Shard), uint64(c.Times))
}

// DecodeCorrection reads what EncodeCorrection wrote.
func DecodeCorrection(encoded []byte) (Correction, error) {
	r := wire.NewReader(encoded)
	c := Correction{Start: r.Varint(), Shard: r.Varint(), Times: int64(r.Uvarint())}
	if r.Short() {
		return Correction{}, fmt.Errorf("%d bytes are no correction", len(encoded))
	}
	return c, nil
}
