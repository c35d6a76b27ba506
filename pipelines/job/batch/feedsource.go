package batch

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"tributary/pipelines/job/graph"
)

// Source reads the files as batches of raw records, beside topics.
//
// Output: each batch is of one partition and of one chapter (record.Chapter). What is unreadable is for others to account for.
//
// Timing: the pieces of all files are read in order of event time, each file in its own order. The reader's watermark is the
// least of what is left to read: of a partition its watermark there, or, if that is later or it has no order, the earliest
// event time that is left, less how far back the join takes it. A file that is read to its end holds nothing.
// A batch has the event time of its partition's watermark before it, or of the reader's.
//
// Delivery: which piece is next is in the runner's state and nowhere else, so each record is in the output as often as the
// runner promises. State of a reading of other files is refused.
//
// Splitting: into as many readers as the topics have, a file to one, at the start and never again.
//
// Failure: a file that is not as it was when it was planned fails the bundle.
func (f *Files) Source(c FeedConfig) graph.Source { return &feedSource{f, c} }

type feedSource struct {
	files  *Files
	config FeedConfig
}

func (f *feedSource) Bounded() bool { return true }

func (f *feedSource) Read(s beam.Scope) (r graph.Read) {
	s = s.Scope("Files")
	c := &f.config
	readers := f.files.pieces(c)
	encoded, err := encodeFeed(readers)
	var plan int64
	if err == nil {
		plan, err = planHash(readers)
	}
	if err != nil {
		panic(fmt.Errorf("batch.Files: %w", err))
	}
	fn := &feedFn{Read: readFn{P: c.Params, Fields: f.files.plan.fields()}, Pieces: encoded, Plan: plan, Budget: c.Budget, Rest: c.Topics.Rest}
	var parts []feedPart
	for i := range readers {
		parts = append(parts, feedPart{Reader: int64(i), Pieces: int64(len(readers[i])), Plan: fn.Plan})
	}
	r.Batches, r.Unreadable = beam.ParDo2(s, fn, beam.CreateList(s, parts))
	return r
}

// planHash tells plans apart whose pieces mean other records. A file of another version is the same if its bytes are.
func planHash(readers [][]feedPiece) (int64, error) {
	plain := make([][]feedPiece, len(readers))
	for i, pieces := range readers {
		plain[i] = slices.Clone(pieces)
		for k := range plain[i] {
			plain[i][k].Piece.File.Version = ""
		}
	}
	var encoded bytes.Buffer
	err := gob.NewEncoder(&encoded).Encode(plain)
	return int64(xxh3.Hash(encoded.Bytes()) >> 1), err
}

// encodeFeed packs pieces, which are much alike, to travel with the job.
func encodeFeed(readers [][]feedPiece) ([]byte, error) {
	var plain bytes.Buffer
	if err := gob.NewEncoder(&plain).Encode(readers); err != nil {
		return nil, err
	}
	return pack(plain.Bytes())
}

func decodeFeed(encoded []byte) (readers [][]feedPiece, err error) {
	plain, err := unpack(encoded)
	if err != nil {
		return nil, err
	}
	return readers, gob.NewDecoder(bytes.NewReader(plain)).Decode(&readers)
}

// pack compresses what travels with a job or is kept in its log.
func pack(plain []byte) ([]byte, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return packer.EncodeAll(plain, nil), packer.Close()
}

func unpack(packed []byte) ([]byte, error) {
	unpacker, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer unpacker.Close()
	return unpacker.DecodeAll(packed, nil)
}
