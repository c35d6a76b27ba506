package hostile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is a text for one field of a record.
type field struct{ name, text string }

// times are event times as JSON writes them, in epoch-millis.
func times(o Options) []field {
	all := []field{
		{"0", "0"},
		{"1 ms", "1"},
		{"before the epoch", "-1"},
		{"1969", "-31536000000"},
		{"smallest", "-9223372036854775808"},
		{"largest", "9223372036854775807"},
		{"over 64 bits", "9223372036854775808"},
		{"microseconds", strconv.FormatInt(o.Base.UnixMicro(), 10)},
		{"nanoseconds", strconv.FormatInt(o.Base.UnixNano(), 10)},
		{"seconds", strconv.FormatInt(o.Base.Unix(), 10)},
		{"after 2199", "7258118400000"},
		{"infinite", "1e400"},
		{"minus infinite", "-1e400"},
		{"almost nothing", "1e-400"},
		{"minus nothing", "-0.0"},
		{"a fraction", fmt.Sprintf("%d.75", o.Base.UnixMilli())},
		{"an exponent", "1.7e12"},
		{"null", "null"},
		{"text", `"yesterday"`},
		{"empty", `""`},
		{"text of a number", strconv.Quote(strconv.FormatInt(o.Base.UnixMilli(), 10))},
		{"text of NaN", `"NaN"`},
		{"text of Infinity", `"Infinity"`},
		{"RFC 3339", `"2016-12-31T23:59:59Z"`},
		{"leap second", `"2016-12-31T23:59:60Z"`},
		{"boolean", "true"},
		{"object", `{"$date":1}`},
		{"array", "[1]"},
	}
	if !o.NoFuture {
		all = append(all, field{"the end of 2199", "7258118399999"}, field{"years ahead", strconv.FormatInt(o.Base.Add(90*365*24*time.Hour).UnixMilli(), 10)})
	}
	return all
}

// ids are view ids as JSON writes them.
func ids(o Options) []field {
	return []field{
		{"empty", `""`},
		{"null", "null"},
		{"1 MiB", `"` + Prefix + longText(1<<20) + `"`},
		{"large", `"` + Prefix + longText(o.Large) + `"`},
		{"NUL", `"` + Prefix + `\u0000"`},
		{"only NUL", `"\u0000"`},
		{"lone surrogate", `"` + Prefix + `\ud800"`},
		{"pair of surrogates", `"` + Prefix + `\ud83d\ude00"`},
		{"line ends", `"` + Prefix + `\r\n\u2028"`},
		{"quotes", `"` + Prefix + `\"\\\/"`},
		{"controls", `"` + Prefix + strings.Repeat(`\u0001`, 5000) + `"`},
		{"fraction", "1.5"},
		{"infinite", "1e400"},
		{"huge integer", "123456789012345678901234567890"},
		{"negative", "-7"},
		{"minus nothing", "-0"},
		{"boolean", "true"},
		{"object", `{"a":1}`},
		{"array", `["` + Prefix + `"]`},
		{"not UTF-8", "\"" + Prefix + "\xff\xfe\""},
		{"right to left", `"` + Prefix + "\u202e" + `abc"`},
		{"the same", `"` + Prefix + `same"`},
		{"the same again", `"` + Prefix + `same"`},
		{"the same once more", `"` + Prefix + `same"`},
	}
}

// numbers are values of a label as JSON writes them.
func numbers() []field {
	return []field{
		{"NaN", `"NaN"`},
		{"infinite", "1e400"},
		{"largest", "1.7976931348623157e308"},
		{"text", `"$9.99"`},
		{"empty", `""`},
		{"null", "null"},
		{"object", "{}"},
		{"boolean", "false"},
		{"many digits", "0." + strings.Repeat("1", 10_000)},
		{"minus nothing", "-0"},
	}
}

// object is a JSON record; what is empty is left out.
func object(id, t, own, amount, more string) []byte {
	var members []string
	for _, f := range []field{{"id", id}, {"t", t}, {"own", own}, {"amount", amount}, {"more", more}} {
		if f.text != "" {
			members = append(members, fmt.Sprintf("%q:%s", f.name, f.text))
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// jsonFields are objects in which one field is hostile.
func jsonFields(o Options) (all []Record) {
	base := strconv.FormatInt(o.Base.UnixMilli(), 10)
	add := func(name, id, t, own, amount string) {
		all = append(all, Record{Name: name, Value: object(id, t, own, amount, "")})
	}
	own := func() string { return fmt.Sprintf(`"%s%d"`, Prefix, len(all)) }
	for _, f := range times(o) {
		add("time/"+f.name, own(), f.text, own(), "1")
	}
	add("time/missing", own(), "", own(), "1")
	for _, f := range ids(o) {
		add("id/"+f.name, f.text, base, own(), "1")
		add("own id/"+f.name, own(), base, f.text, "1")
	}
	add("id/missing", "", base, own(), "1")
	add("own id/missing", own(), base, "", "1")
	for _, f := range numbers() {
		add("amount/"+f.name, own(), base, own(), f.text)
	}
	add("nothing of use", "", "", "", "")
	return all
}

// jsonBytes are texts that are almost JSON, or JSON of another kind.
func jsonBytes(o Options) []Record {
	id, base := `"`+Prefix+`json"`, strconv.FormatInt(o.Base.UnixMilli(), 10)
	sound := string(object(id, base, `"`+Prefix+`own"`, "1", ""))
	deep := func(open, end string) string { return strings.Repeat(open, 100_000) + strings.Repeat(end, 100_000) }
	all := []Record{}
	for _, f := range []field{
		{"truncated", sound[:len(sound)/2]},
		{"without its end", sound[:len(sound)-1]},
		{"twice", sound + sound},
		{"with a comma", sound + ","},
		{"garbage behind", sound + "garbage"},
		{"byte order mark before", "\xef\xbb\xbf" + sound},
		{"NUL before", "\x00" + sound},
		{"NUL behind", sound + "\x00"},
		{"NUL in it", strings.Replace(sound, ",", ",\x00", 1)},
		{"scalar", "1"},
		{"null", "null"},
		{"true", "true"},
		{"text", `"text"`},
		{"empty array", "[]"},
		{"array of records", "[" + sound + "]"},
		{"NaN", "NaN"},
		{"bare NaN as time", strings.Replace(sound, base, "NaN", 1)},
		{"bare Infinity as time", strings.Replace(sound, base, "-Infinity", 1)},
		{"single quotes", strings.ReplaceAll(sound, `"`, "'")},
		{"comment", sound[:1] + "/* */" + sound[1:]},
		{"trailing comma", sound[:len(sound)-1] + ",}"},
		{"no colon", `{"id" ` + id + `}`},
		{"a name twice", `{"id":"` + Prefix + `first","id":"` + Prefix + `second","t":` + base + `,"t":1}`},
		{"a name that is empty", `{"":1,"id":"` + Prefix + `name","t":` + base + `}`},
		{"a name of 1 MiB", `{"` + longText(1<<20) + `":1,"id":"` + Prefix + `long","t":` + base + `}`},
		{"an open text", `{"id":"` + Prefix},
		{"a bad escape", `{"id":"\x","t":` + base + `}`},
		{"half an escape", `{"id":"\u12","t":` + base + `}`},
		{"many open arrays", strings.Repeat("[", 100_000)},
		{"many open objects", strings.Repeat(`{"a":`, 100_000)},
		{"deep arrays", string(object(`"`+Prefix+`deep"`, base, "", "1", deep("[", "]")))},
		{"deep objects", string(object(`"`+Prefix+`deeper"`, base, "", "1", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)))},
		{"a number of 1 MiB", string(object(`"`+Prefix+`digits"`, base, "", "1", strings.Repeat("7", 1<<20)))},
		{"many members", string(object(`"`+Prefix+`members"`, base, "", "1", `{"a":1`+strings.Repeat(`,"a":1`, 100_000)+"}"))},
		{"large", string(object(`"`+Prefix+`large"`, base, "", "1", `"`+longText(o.Large)+`"`))},
	} {
		all = append(all, Record{Name: "JSON/" + f.name, Value: []byte(f.text)})
	}
	if !o.Lines {
		all = append(all, Record{Name: "JSON/lines", Value: []byte(strings.ReplaceAll(sound, ",", ",\n"))})
	}
	return all
}

// csvRows are rows in which something is hostile. None of them opens a quote: what
// is a record then is another question, which the reader of CSV answers in its own tests.
func csvRows(o Options) (all []Record) {
	base := strconv.FormatInt(o.Base.UnixMilli(), 10)
	add := func(name, row string) { all = append(all, Record{Name: "CSV/" + name, Value: []byte(row)}) }
	plain := func(f field) string { // without what only JSON has
		return strings.NewReplacer(`"`, "", ",", ";", "\n", " ", "\r", " ").Replace(f.text)
	}
	for _, f := range times(o) {
		add("time/"+f.name, fmt.Sprintf("%s%d,%s,%s%d,1,", Prefix, len(all), plain(f), Prefix, len(all)))
	}
	for _, f := range ids(o) {
		id := plain(f)
		if !strings.HasPrefix(id, Prefix) {
			id = strings.TrimSpace(id)
		}
		add("id/"+f.name, fmt.Sprintf("%s,%s,%s%d,1,", id, base, Prefix, len(all)))
	}
	for _, f := range numbers() {
		add("amount/"+f.name, fmt.Sprintf("%s%d,%s,%s%d,%s,", Prefix, len(all), base, Prefix, len(all), plain(f)))
	}
	row := Prefix + "row," + base + "," + Prefix + "row,1,"
	add("too few", Prefix+"few,"+base)
	add("too many", row+",,,,,,,,")
	add("very many", row+strings.Repeat(",", 100_000))
	add("no comma", "word")
	add("only commas", ",,,,")
	add("a quote in it", Prefix+`"quote,`+base+",,1,")
	add("text behind a quote", `"`+Prefix+`quoted"x,`+base+",,1,")
	add("NUL", Prefix+"\x00,"+base+",,1,")
	add("carriage returns", Prefix+"\r\r,"+base+",,1,")
	add("the header again", strings.TrimSuffix(Header, "\n"))
	add("large", Prefix+"large,"+base+",,1,"+longText(o.Large))
	return all
}
