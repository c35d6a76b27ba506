package decode_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/expression"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// BenchmarkWhere reads views of 105 bytes of Avro, their times and ids, with every way of saying which are taken.
func BenchmarkWhere(b *testing.B) {
	p, batches := attributiontest.Hour(b)
	for _, way := range []struct {
		name       string
		where      []expression.Condition
		expression string
	}{
		{name: "none"},
		{name: "mapping", where: []expression.Condition{{Field: "user", Value: "user-00000000"}}},
		{name: "or of conditions", expression: `user == "user-00000000" || page == "https://example.com/"`},
		{name: "one call", expression: `page.startsWith("https://")`},
		{name: "two calls and a number", expression: `page.startsWith("https://") && size(user) > 5`},
		{name: "behind a condition", where: []expression.Condition{{Field: "user", Value: "user-00000000"}}, expression: `user == "user-00000000" && page.startsWith("https://")`},
	} {
		b.Run(way.name, func(b *testing.B) {
			q := *p
			q.Inputs = append([]rules.Input(nil), p.Inputs...)
			q.Inputs[0].Where, q.Inputs[0].Expression = way.where, way.expression
			r, err := decode.NewReaders(&q).Of(&batches[0])
			require.NoError(b, err)
			require.NoError(b, r.Unusable)
			records := 0
			b.ReportAllocs()
			for b.Loop() {
				for i := range batches {
					if batches[i].Input != 0 {
						continue
					}
					rest := batches[i].Records
					for range batches[i].Count {
						n, err := r.Read(rest)
						if err == nil && r.Input.Decides() {
							_, err = r.Matches()
						}
						if err == nil {
							_, err = r.Time()
						}
						if err == nil {
							_, err = r.ID()
						}
						if err != nil {
							b.Fatal(err)
						}
						rest = rest[n:]
						records++
					}
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
		})
	}
}
