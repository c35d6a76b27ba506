package problem

import "strings"

// topics are the sections of a small spec of topics.
var topics = []struct{ key, text string }{
	{"clusters", `clusters: {main: {brokers: ["kafka-1:9092"]}}`},
	{"views", `views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}`},
	{"engagements", "engagements:\n  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}"},
	{"outputs", `outputs: {samples: {topic: samples, format: json}}`},
}

// streamed is an example about topics with the sections that it leaves out: those that
// go without saying are about files.
func streamed(example string) string {
	out := strings.Trim(example, "\n") + "\n"
	for _, section := range topics {
		if !strings.HasPrefix(out, section.key+":") && !strings.Contains(out, "\n"+section.key+":") {
			out += section.text + "\n"
		}
	}
	return out
}

// registered is such an example, whose views are read with a registry; comment stands behind them.
func registered(input, comment string) string {
	return streamed(`
clusters: {main: {brokers: ["kafka-1:9092"], registry: {url: "https://registry:8081"}}}
views: {inputs: [` + input + `], id: view_id, time: ts}` + comment)
}
