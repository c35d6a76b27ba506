package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// The codecs of a Stream.
const (
	codecNone = "none"
	codecGzip = "gzip"
)

// StreamCodecs are the codecs of a Stream, for Writer.Codecs.
func StreamCodecs() []string { return []string{codecNone, codecGzip} }

// StreamEnding is the ending of a file that is a Stream with that codec, for Writer.Ending. ending is that of a plain one.
func StreamEnding(ending, codec string) string {
	if codec == codecGzip {
		return ending + ".gz"
	}
	return ending
}

// Stream is a file that is compressed as a whole or not at all. The same content is the same bytes.
type Stream struct {
	*bufio.Writer

	zip *gzip.Writer // nil for none
}

// NewStream begins a file in w. The error is that the codec is none of StreamCodecs.
func NewStream(w io.Writer, codec string) (*Stream, error) {
	s := &Stream{}
	switch codec {
	case codecNone:
	case codecGzip:
		s.zip = gzip.NewWriter(w)
		w = s.zip
	default:
		return nil, fmt.Errorf("codec %q is not supported: it must be %s", codec, strings.Join(StreamCodecs(), " or "))
	}
	s.Writer = bufio.NewWriterSize(w, 256<<10)
	return s, nil
}

// Close writes what is left. It does not close the writer beneath.
func (s *Stream) Close() error {
	err := s.Flush()
	if s.zip != nil {
		err = errors.Join(err, s.zip.Close())
	}
	return err
}
