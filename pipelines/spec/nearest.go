package spec

import (
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"tributary/io/record"
)

// synonyms are what other tools call our keys and values.
var synonyms = map[string]string{
	"timestamp": "time", "ts": "time", "event_time": "time",
	"allowed_lateness": "out_of_orderness", "lateness": "out_of_orderness", "max_out_of_orderness": "out_of_orderness",
	"skew": "clock_skew", "attribution_window": "window", "bucket_length": "bucket", "parallelism": "shards",
	"source": "inputs", "sources": "inputs", "files": "inputs", "filter": "where", "type": "format", "aggregation": "label",
	"dedup": "dedup_window", "dedupe": "dedup_window", "output": "outputs", "sinks": "outputs", "dlq": "dead_letters",
	"sampling": "negatives", "compression": "codec", "expected": "samples", "rate": "keep",
	"zstd": "zstandard", "gz": "gzip", "ndjson": "json", "jsonl": "json", "ordered": "file", "any": "binary", "bool": "binary",
	"delay": "time_to_first", "latest": "last", "earliest": "first",
	"bootstrap_servers": "brokers", "bootstrap": "brokers", "servers": "brokers", "seeds": "brokers", "ssl": "tls", "username": "user",
	"schema_registry": "registry", "group_id": "group", "consumer_group": "group", "job_name": "name", "zstandard": "zstd",
	"starting_offsets": "start", "start_offset": "start", "offset_reset": "start", "auto_offset_reset": "start", "ignore": "skip",
	"client_cert": "cert", "client_key": "key", "ca_file": "ca", "variable": "env", "path": "file",
}

// otherThings are words that other tools have for what there is not here, though they are
// spelt almost like something that there is: a fix must not change what was meant.
var otherThings = []string{
	"tsv", "psv", "ssv", "bson", "avsc", "xml", "orc", "bzip2", "bz2", "lzo", "xz", "zip", "brotli",
	"mean", "list", "avg", "average", "median", "mode", "set", "at_most_once", "scram_sha_1", "scram_sha_384", "field", "time",
}

// endings are what may follow a word that is one of ours: samples_path, ts_column.
var endings = []string{"id", "path", "field", "column", "key", "name", "file", "files", "folder", "dir", "topic", "topics", "list", "s"}

// Nearest returns the allowed word that was probably meant, or nothing if none is
// near, or two are: a wrong guess costs the reader more than no guess.
func Nearest(word string, allowed []string) string {
	word = folded(word)
	best, bound := "", 1+len(word)/4
	if len(word) < 3 {
		bound = 0 // one letter of two is half of the word
	}
	tie := ""
	for _, candidate := range allowed {
		if synonyms[word] == candidate {
			return candidate
		}
		folded := folded(candidate)
		d := levenshtein.ComputeDistance(word, folded)
		// A word cut short, or with something added: dead_letter, samples_path.
		ending, longer := strings.CutPrefix(word, folded+"_")
		if len(word) > 2 && (strings.HasPrefix(folded, word) || longer && slices.Contains(endings, ending)) {
			d = min(d, 1)
		}
		switch {
		case d > 0 && slices.Contains(otherThings, word):
		case d < bound || best == "" && d == bound:
			best, bound, tie = candidate, d, ""
		case d == bound && best != "":
			tie = candidate
		}
	}
	if tie != "" {
		return ""
	}
	return best
}

// folded leaves out what is easily mistaken: capitals, dashes, spaces around, quotes.
func folded(word string) string {
	return strings.ToLower(strings.NewReplacer("-", "_", `"`, "").Replace(strings.TrimSpace(word)))
}

// unitWords tell the unit of a time by a part of what people call it.
var unitWords = []struct {
	form *regexp.Regexp
	unit record.Unit
}{
	{regexp.MustCompile(`nano|(^|_)ns$`), record.UnitEpochNanos},
	{regexp.MustCompile(`micro|(^|_)us$|µ`), record.UnitEpochMicros},
	{regexp.MustCompile(`mill?i|(^|_)ms$`), record.UnitEpochMs},
	{regexp.MustCompile(`sec|(^|_)s$|^unix(_?time(stamp)?)?$`), record.UnitSeconds},
	{regexp.MustCompile(`rfc|iso|3339|8601`), record.UnitRFC3339},
}

// nearestUnit returns the unit of time that a word means: never one of another size.
func nearestUnit(word string) string {
	for _, u := range unitWords {
		if u.form.MatchString(folded(word)) {
			return string(u.unit)
		}
	}
	return ""
}
