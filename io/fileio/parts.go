package fileio

// chunkSize is how much of an object is held in memory to be sent again after a fault.
// Smaller objects go in one request, larger ones in chunks of it; 8 MiB keeps tens of
// writers small, and a round trip for each costs little.
const chunkSize = 8 << 20

// partWriter cuts what is written into parts of chunkSize, twice as much every doubling parts: services bound their number.
type partWriter struct {
	doubling int
	send     func(part []byte) error // and does not keep it
	held     []byte                  // not sent yet
	sent     int
}

func (b *partWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		size := chunkSize << (b.sent / b.doubling)
		if len(b.held) >= size {
			if err := b.flush(); err != nil {
				return written, err
			}
			continue
		}
		n := min(len(p), size-len(b.held))
		b.held, p, written = append(b.held, p[:n]...), p[n:], written+n
	}
	return written, nil
}

// flush sends what is held.
func (b *partWriter) flush() error {
	if err := b.send(b.held); err != nil {
		return err
	}
	b.held, b.sent = b.held[:0], b.sent+1
	return nil
}
