package batch

import (
	"tributary/io/record"
	"tributary/transforms/attribution/decode"
)

// chapters cuts a batch where chapters of its log end (record.Chapter), with the clock before each part. One that cannot be
// taken apart stays whole: what is wrong with it is for the join to tell.
func (f *feedFn) chapters(b record.Batch, emit func(record.Batch)) error {
	if b.Count == 0 {
		return nil
	}
	if record.Chapter(b.Offset) == record.Chapter(lastOffset(&b)) {
		emit(b)
		return nil
	}
	key := splitKey{b.Input, b.Schema}
	scanner := f.scanners[key]
	if scanner == nil {
		var err error
		if scanner, err = decode.NewScanner(&f.Read.P, int(b.Input), b.Schema); err != nil {
			return err
		}
		f.scanners[key] = scanner
	}
	ordered := f.Read.P.Inputs[b.Input].Ordered
	clock, rest := b.Clock(), b.Records
	var parts []record.Batch
	for i := range b.Count {
		offset, rec, after, ok := nextRecord(&b, i, rest, scanner)
		if !ok {
			emit(b)
			return nil
		}
		rest = after
		if len(parts) == 0 || record.Chapter(offset) != record.Chapter(parts[len(parts)-1].Offset) {
			part := b
			part.Offset, part.Count, part.Framed, part.Records = offset, 0, true, nil
			if part.MaxTime, part.SecondTime = b.MaxTime, b.SecondTime; ordered {
				part.MaxTime, part.SecondTime = clock.Largest, clock.Second
			}
			parts = append(parts, part)
		}
		part := &parts[len(parts)-1]
		part.Count++
		part.Records = record.AppendFramed(part.Records, offset-part.Offset, rec)
		scanner.Scan(record.Batch{Count: 1, Records: rec}, func(s decode.Scanned) { clock.Add(s.Time) })
	}
	for _, part := range parts {
		emit(part)
	}
	return nil
}

// lastOffset is that of the last record of a batch.
func lastOffset(b *record.Batch) int64 {
	if !b.Framed {
		return b.Offset + int64(b.Count) - 1
	}
	last := b.Offset
	for rest := b.Records; len(rest) > 0; {
		distance, _, after, err := record.NextFramed(rest)
		if err != nil {
			break // for the join to tell
		}
		last, rest = b.Offset+distance, after
	}
	return last
}

// nextRecord is the i-th record of a batch, which rest begins with; not ok if it is not known where it ends.
func nextRecord(b *record.Batch, i int32, rest []byte, scanner *decode.Scanner) (offset int64, rec, after []byte, ok bool) {
	if b.Framed {
		distance, rec, after, err := record.NextFramed(rest)
		return b.Offset + distance, rec, after, err == nil
	}
	told := false
	behind := scanner.Scan(record.Batch{Count: 1, Records: rest}, func(decode.Scanned) { told = true })
	end := int64(len(rest)) - behind
	return b.Offset + int64(i), rest[:end], rest[end:], told
}
