package avro

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	magic    = "Obj\x01"
	syncSize = 16

	metaSchema = "avro.schema"
	metaCodec  = "avro.codec"

	// maxHeader bounds a file's header, most of which is its schema.
	maxHeader = 16 << 20
)

// Header is what a container file begins with.
type Header struct {
	Schema *Schema
	Codec  string
	// Sync marks the end of every block.
	Sync [syncSize]byte
	// Size of the header in bytes: the first block's offset.
	Size int64
	// Meta is what else the writer noted, without the keys that Avro defines.
	Meta map[string][]byte
}

// readHeader reads a header from in, which then stands at the first block.
func readHeader(in *input) (Header, error) {
	var h Header
	start, err := in.peek(len(magic))
	if err != nil {
		return h, err
	}
	if string(start) != magic {
		return h, fmt.Errorf("not an Avro container file: it begins with %q, not %q", start, magic)
	}
	in.drop(len(magic))
	h.Meta = map[string][]byte{}
	for {
		count, _, err := readBlockHeader(in)
		if err != nil {
			return h, err
		}
		if count == 0 {
			break
		}
		for range count {
			key, err := readText(in)
			if err != nil {
				return h, err
			}
			value, err := readText(in)
			if err != nil {
				return h, err
			}
			h.Meta[string(key)] = value
			if in.offset > maxHeader {
				return h, fmt.Errorf("the header takes more than %d MiB", maxHeader>>20)
			}
		}
	}
	mark, err := in.peek(syncSize)
	if err != nil {
		return h, err
	}
	copy(h.Sync[:], mark)
	in.drop(syncSize)
	h.Size = in.offset
	return h, h.interpret()
}

// interpret takes schema and codec out of Meta.
func (h *Header) interpret() error {
	text, ok := h.Meta[metaSchema]
	if !ok {
		return errors.New("the header has no schema")
	}
	var err error
	if h.Schema, err = ParseSchema(string(text)); err != nil {
		return err
	}
	h.Codec = CodecNull
	if codec := h.Meta[metaCodec]; len(codec) > 0 {
		h.Codec = string(codec)
	}
	delete(h.Meta, metaSchema)
	delete(h.Meta, metaCodec)
	return checkCodec(h.Codec)
}

// readBlockHeader is blockHeader for input that is not in memory yet.
func readBlockHeader(in *input) (count int64, size int, err error) {
	buf, err := in.peekSome(2 * binary.MaxVarintLen64)
	if err != nil {
		return 0, 0, err
	}
	v, next := uvarint(buf, 0)
	if next >= 0 {
		if count = zigzag(v); count < 0 {
			count = -count
			// How long the block is tells nothing that reading it does not.
			_, next = uvarint(buf, next)
		}
	}
	if next < 0 || count < 0 {
		return 0, 0, headerFailure(next)
	}
	in.drop(next)
	return count, 0, nil
}

func readText(in *input) ([]byte, error) {
	buf, err := in.peekSome(binary.MaxVarintLen64)
	if err != nil {
		return nil, err
	}
	v, next := uvarint(buf, 0)
	size := zigzag(v)
	switch {
	case next < 0:
		return nil, headerFailure(next)
	case size < 0:
		return nil, headerFailure(int(failLength))
	case size > maxHeader:
		return nil, fmt.Errorf("the header takes more than %d MiB", maxHeader>>20)
	}
	in.drop(next)
	text, err := in.peek(int(size))
	if err != nil {
		return nil, err
	}
	text = bytes.Clone(text)
	in.drop(len(text))
	return text, nil
}

func headerFailure(next int) error {
	if failure(next) == failShort {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the header is damaged: %s", failure(next))
}

// appendHeader appends the encoded form of h, its metadata in the order of the keys.
func (h *Header) appendHeader(dst []byte) []byte {
	meta := maps.Clone(h.Meta)
	if meta == nil {
		meta = map[string][]byte{}
	}
	meta[metaSchema] = []byte(h.Schema.String())
	meta[metaCodec] = []byte(h.Codec)
	dst = append(dst, magic...)
	dst = binary.AppendVarint(dst, int64(len(meta)))
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		dst = binary.AppendVarint(dst, int64(len(key)))
		dst = append(dst, key...)
		dst = binary.AppendVarint(dst, int64(len(meta[key])))
		dst = append(dst, meta[key]...)
	}
	dst = append(dst, 0)
	return append(dst, h.Sync[:]...)
}

// newHeader makes the header of a file to be written. Its sync marker derives from the
// rest, so that the same records always give the same file.
func newHeader(s *Schema, codec string, meta map[string][]byte) (Header, error) {
	for key := range meta {
		if strings.HasPrefix(key, "avro.") {
			return Header{}, fmt.Errorf("metadata key %q: names with avro. are Avro's own", key)
		}
	}
	h := Header{Schema: s, Codec: codec, Meta: meta}
	if err := checkCodec(codec); err != nil {
		return h, err
	}
	digest := sha256.Sum256(h.appendHeader(nil))
	copy(h.Sync[:], digest[:])
	h.Size = int64(len(h.appendHeader(nil)))
	return h, nil
}
