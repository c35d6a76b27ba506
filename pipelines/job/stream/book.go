package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/transforms/account"
)

// book is the sum of accounts that nothing changes any more. It says which they are, so that
// whoever finds one of them beside it counts it once.
//
// A book replaces the one before it. It is written in pages, because it may be larger than a
// record, under keys that it shares with the one before the last: a reader whose look at the topic
// ends between two pages still has the last one, and the accounts that the new one holds in
// addition, which are removed with the next book at the earliest.
type book struct {
	// Generation counts the books of a job.
	Generation int64 `json:"generation"`
	// Buckets: accounts of buckets that start before that (ms) are in it.
	Buckets int64 `json:"buckets_before_ms"`
	// Offsets: accounts of a log (see account.log) that begin before that are in it. Each is where a
	// chapter of the partition begins, and so does an account, however often the log is read.
	Offsets map[string]int64 `json:"offsets_before"`
	sheet
}

// sum returns what is in the book.
func (b *book) sum() (*account.Sheet, error) {
	if !b.there() {
		return account.New(), nil
	}
	l, err := b.decode()
	if err != nil {
		return nil, fmt.Errorf("book %d of accounts: %w", b.Generation, err)
	}
	return l, nil
}

// holds tells whether a is in the book.
func (b *book) holds(a *counted) bool {
	if !a.read() {
		return a.Bucket < b.Buckets
	}
	return a.First < b.Offsets[a.log()]
}

// bookKey begins the keys of pages.
const bookKey = "book/"

// pageBytes is a quarter of what topics take as a record by default, in base64 a third.
const pageBytes = 256 << 10

// page is a piece of a book's JSON.
type page struct {
	Generation int64  `json:"book"`
	Number     int    `json:"page"`
	Of         int    `json:"of"`
	Text       []byte `json:"text"`
}

// records are the book as records of a topic.
func (b *book) records() ([]*kgo.Record, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("a book of accounts: %w", err)
	}
	pieces := slices.Collect(slices.Chunk(text, pageBytes))
	records := make([]*kgo.Record, len(pieces))
	for i, piece := range pieces {
		value, err := json.Marshal(page{b.Generation, i, len(pieces), piece})
		if err != nil {
			return nil, fmt.Errorf("a book of accounts: %w", err)
		}
		key := bookKey + strconv.FormatInt(b.Generation%2, 10) + "/" + strconv.Itoa(i)
		records[i] = &kgo.Record{Key: []byte(key), Value: value}
	}
	return records, nil
}

// pages are those of books that are not whole yet, by generation and number.
type pages map[int64]map[int][]byte

// take adds a page, and returns the book that it makes whole, nil if none. Of a generation that
// is older than the last two there is nothing to come.
func (all pages) take(value []byte) (*book, error) {
	var p page
	if err := json.Unmarshal(value, &p); err != nil {
		return nil, fmt.Errorf("a page of a book of accounts: %w", err)
	}
	if all[p.Generation] == nil {
		all[p.Generation] = map[int][]byte{}
	}
	all[p.Generation][p.Number] = p.Text
	newest := slices.Max(slices.Collect(maps.Keys(all)))
	maps.DeleteFunc(all, func(g int64, _ map[int][]byte) bool { return g < newest-1 })
	if len(all[p.Generation]) != p.Of {
		return nil, nil
	}
	var text []byte
	for i := range p.Of {
		text = append(text, all[p.Generation][i]...)
	}
	delete(all, p.Generation)
	var b book
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("book %d of accounts: %w", p.Generation, err)
	}
	return &b, nil
}

func isPage(key string) bool { return strings.HasPrefix(key, bookKey) }
