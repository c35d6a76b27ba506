package jsontext_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"testing"

	"tributary/io/format/jsontext"
)

func BenchmarkReader(b *testing.B) {
	for _, format := range []layout{JSON, CSV} {
		text := jsontext.BenchRecords(format == CSV)
		b.Run(string(format), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := newReader(bytes.NewReader(text), format, jsontext.Options{})
				for {
					block, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil || len(block.Bad) > 0 {
						b.Fatal(err, block.Bad)
					}
				}
			}
		})
	}
}

// BenchmarkCSVReference is encoding/csv splitting the same rows and no more.
func BenchmarkCSVReference(b *testing.B) {
	text := jsontext.BenchRecords(true)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(text))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
