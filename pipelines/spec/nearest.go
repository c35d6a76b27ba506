package spec

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// synonyms are what other tools call our keys and values.
var synonyms = map[string]string{
	"timestamp": "time", "ts": "time", "event_time": "time",
	"allowed_lateness": "out_of_orderness", "lateness": "out_of_orderness", "max_out_of_orderness": "out_of_orderness",
	"skew": "clock_skew", "attribution_window": "window", "bucket_length": "bucket", "parallelism": "shards",
	"source": "inputs", "sources": "inputs", "files": "inputs", "filter": "where", "type": "format", "aggregation": "label",
	"dedup": "duplicates_within", "dedupe": "duplicates_within", "output": "outputs", "sinks": "outputs", "dlq": "dead_letters",
	"sampling": "negatives", "compression": "codec", "expected": "samples", "rate": "keep",
	"zstd": "zstandard", "gz": "gzip", "ndjson": "json", "jsonl": "json", "ordered": "file", "any": "binary", "bool": "binary",
	"delay": "time_to_first", "latest": "last", "earliest": "first",
	"ms": "epoch-millis", "millis": "epoch-millis", "s": "epoch-seconds", "seconds": "epoch-seconds", "us": "timestamp-micros", "ns": "timestamp-nanos",
	"bootstrap_servers": "brokers", "bootstrap": "brokers", "servers": "brokers", "seeds": "brokers", "ssl": "tls", "username": "user",
	"schema_registry": "registry", "group_id": "group", "consumer_group": "group", "job_name": "name", "zstandard": "zstd",
	"starting_offsets": "start", "start_offset": "start", "offset_reset": "start", "auto_offset_reset": "start", "ignore": "skip",
	"client_cert": "cert", "client_key": "key", "ca_file": "ca", "variable": "env", "path": "file",
	"iso8601": "rfc3339", "unix": "epoch-seconds",
}

// Nearest returns the allowed word that was probably meant, or nothing if none is
// near: a wrong guess costs the reader more than no guess.
func Nearest(word string, allowed []string) string {
	word = folded(word)
	best, bound := "", 1+len(word)/4
	if len(word) < 3 {
		bound = 0 // one letter of two is half of the word
	}
	for _, candidate := range allowed {
		if synonyms[word] == candidate {
			return candidate
		}
		folded := folded(candidate)
		d := levenshtein.ComputeDistance(word, folded)
		// A word cut short, or with something added: dead_letter, samples_path.
		if len(word) > 2 && (strings.HasPrefix(folded, word) || strings.HasPrefix(word, folded+"_")) {
			d = min(d, 1)
		}
		if d < bound || best == "" && d == bound {
			best, bound = candidate, d
		}
	}
	return best
}

// folded leaves out what is easily mistaken: capitals, dashes, spaces around, quotes.
func folded(word string) string {
	return strings.ToLower(strings.NewReplacer("-", "_", `"`, "").Replace(strings.TrimSpace(word)))
}
