package draft

import (
	"regexp"
	"slices"
	"strings"

	"tributary/io/record"
)

// Words by which people call what is guessed here. All are of one number and in small letters.
var (
	viewWords = []string{"view", "impression", "imp", "shown", "exposure", "display", "served", "recommendation", "rec", "pageview", "request"}
	engWords  = []string{
		"click", "like", "purchase", "order", "conversion", "share", "comment", "save", "follow", "cart", "install", "engagement", "event", "action",
		"interaction", "buy", "sale", "reaction", "signup", "watch", "play", "rating", "booking", "transaction", "feedback", "favorite", "reply", "checkout",
	}
	// who are the words of ids of persons, or of what stands for one.
	who = []string{"user", "customer", "member", "person", "account", "visitor", "session", "device", "client", "cookie"}
	// whose are the words of ids of persons and things, which are not those of what happened.
	whose = append(slices.Clone(who),
		"item", "post", "product", "article", "sku",
		"ad", "campaign", "creative", "advertiser", "page", "video", "song", "movie", "shop", "store", "seller", "author", "category", "country", "city",
	)
	idWords    = []string{"id", "uuid", "guid", "key", "uid"}
	timeWords  = []string{"ts", "time", "timestamp", "at", "date", "datetime", "when", "epoch", "unixtime", "millis", "micros", "ms"}
	bestTimes  = []string{"ts", "time", "timestamp", "event time", "event ts", "event timestamp", "datetime", "occurred at", "event date"}
	laterTimes = []string{
		"updated", "modified", "ingested", "ingestion", "processed", "processing", "received", "expires", "expiry", "loaded", "load", "inserted", "deleted",
		"end", "partition", "birth", "published", "kafka", "log", "created",
	}
	kindWords  = []string{"kind", "type", "event", "action", "verb", "activity", "interaction", "behavior", "behaviour"}
	valueWords = []string{"amount", "price", "value", "revenue", "total", "quantity", "qty", "rating", "duration", "dwell", "score", "cost"}
)

var camel = regexp.MustCompile(`[A-Z]+(?:[^A-Za-z]|$)|[A-Z]?[a-z]+|[A-Z]+`)

// nameWords are the words of the last name of a path.
func nameWords(path string) []string {
	names, err := record.ParsePath(path)
	if err != nil {
		return nil
	}
	var words []string
	for _, word := range camel.FindAllString(names[len(names)-1], -1) {
		words = append(words, single(strings.ToLower(strings.Trim(word, "_ -./()[]0123456789"))))
	}
	return words
}

// single is a word without the end of its plural.
func single(word string) string {
	switch {
	case strings.HasSuffix(word, "ss") || strings.HasSuffix(word, "us") || len(word) < 4:
		return word
	case strings.HasSuffix(word, "ies"):
		return strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "xes") || strings.HasSuffix(word, "ches") || strings.HasSuffix(word, "shes"):
		return strings.TrimSuffix(word, "es")
	}
	return strings.TrimSuffix(word, "s")
}

func hasAny(words, of []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(of, w) })
}

// roleWord is the word of a file's name that says what is in it; empty if none does.
func roleWord(words []string) string {
	for _, w := range words {
		if w = single(w); slices.Contains(viewWords, w) || slices.Contains(engWords, w) {
			return w
		}
	}
	return ""
}

// isIDName tells whether a path is called as ids are: id, view_id, viewId, uuid.
func isIDName(path string) bool {
	words := nameWords(path)
	return len(words) > 0 && slices.Contains(idWords, words[len(words)-1])
}
