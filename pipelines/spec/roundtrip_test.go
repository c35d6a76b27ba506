package spec

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// bare is a spec without what says where things stand in its file.
func bare(s Spec) Spec {
	s.File, s.Warnings, s.marks, s.lines = "", nil, nil, nil
	strip := func(inputs []Input) []Input {
		out := append([]Input(nil), inputs...)
		for i := range out {
			out[i].At = problem.Position{}
		}
		return out
	}
	s.Views.Inputs = strip(s.Views.Inputs)
	s.Engagements = append([]Engagement(nil), s.Engagements...)
	for i := range s.Engagements {
		s.Engagements[i].Inputs = strip(s.Engagements[i].Inputs)
	}
	s.Tests = append([]Test(nil), s.Tests...)
	for i := range s.Tests {
		s.Tests[i].At, s.Tests[i].SamplesAt = problem.Position{}, nil
	}
	return s
}

func TestYAMLGivesTheSpecBack(t *testing.T) {
	specs := corpus(t, "good")
	feed, err := os.ReadFile("../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	specs["feed"] = feed
	stream, err := os.ReadFile("../../testdata/specs/stream.yaml")
	require.NoError(t, err)
	specs["stream"] = stream
	for name, content := range specs {
		t.Run(name, func(t *testing.T) {
			want, err := Parse("spec.yaml", content)
			require.NoError(t, err)
			got, err := Parse("spec.yaml", want.YAML())
			require.NoError(t, err, "%s", want.YAML())
			assert.Equal(t, bare(*want), bare(*got))
		})
	}
}

// TestYAMLGivesAnySpecBack: with texts that mean something else to YAML.
func TestYAMLGivesAnySpecBack(t *testing.T) {
	awkward := rapid.SampledFrom([]string{"true", "null", "~", "12", "1e3", "010", ".5", "@id", "a b", "Größe", "yes", "%", "&x", "!", "a: b", "0x1F", "2026-01-01", "-", "<<", "=", "+1", ".inf", "a\u2028b"})
	word := rapid.OneOf(rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`), awkward)
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 5).Draw(t, "type") {
		case 0:
			return rapid.Int64().Draw(t, "int")
		case 1:
			return float64(rapid.IntRange(-1e9, 1e9).Draw(t, "f")) / 8
		case 2:
			return rapid.Bool().Draw(t, "bool")
		case 3:
			return nil
		case 4:
			return map[string]any{word.Draw(t, "key"): []any{word.Draw(t, "item"), nil}}
		}
		return word.Draw(t, "text")
	})
	duration := func(t *rapid.T, name string) time.Duration {
		return time.Duration(rapid.Int64Range(1, 1e9).Draw(t, name)) * time.Millisecond
	}
	field := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`[a-z_@$][a-zA-Z0-9_ -]{0,6}[a-z](\.[a-z]{1,3})?`).Draw(t, "field")
	})
	rapid.Check(t, func(t *rapid.T) {
		window := duration(t, "window")
		more := rapid.IntRange(0, 2).Draw(t, "further fields of ids")
		s := Spec{
			Version: int32(rapid.IntRange(1, 1<<30).Draw(t, "version")),
			Views: Views{
				Inputs:      []Input{{Path: "views/*.avro", Format: Avro, Order: OrderFile}, {Path: "x y/[a]*", Format: CSV, Schema: "a b.avsc", Order: OrderNone}},
				Where:       Where{Expression: `w.n > 3 && w.a["b c"] == "it's"`, Conditions: []Condition{{Field: "w.a.b c", Value: "it's", Type: TextCondition}}, Rest: true},
				ID:          append([]string{"v1." + field.Draw(t, "id")}, []string{"v3.a", "v4.b"}[:more]...),
				Time:        TimeField{Field: "v2." + field.Draw(t, "time"), Unit: rapid.SampledFrom(record.Units).Draw(t, "unit")},
				DedupWindow: duration(t, "within"),
			},
			Engagements: []Engagement{{
				Kind: rapid.StringMatching(`k[a-z0-9_]{0,5}`).Draw(t, "kind"), Inputs: []Input{{Path: "likes.json", Format: JSON, Order: OrderField, PartitionField: "o1.p", OffsetField: "o2.p"}},
				Where: Where{Conditions: []Condition{
					{Field: "w." + field.Draw(t, "where"), Value: word.Draw(t, "value"), Type: TextCondition},
					{Field: "n", Value: strconv.FormatFloat(float64(rapid.IntRange(-1e9, 1e9).Draw(t, "number"))/8, 'g', -1, 64), Type: NumberCondition},
					{Field: "b", Value: strconv.FormatBool(rapid.Bool().Draw(t, "flag")), Type: BoolCondition},
				}},
				View: append([]string{"e1." + field.Draw(t, "view")}, []string{"e5.a", "e5.b"}[:more]...), Time: TimeField{Field: "e2." + field.Draw(t, "etime")}, ID: []string{"e3.x", "e3.y"}[:1+more/2], Window: window,
				Label: Label{Func: label.First, Field: "e4.x"}, OnBadValue: rapid.SampledFrom(OnBadValues).Draw(t, "bad value"), Count: CountAll,
			}},
			OutOfOrderness: duration(t, "ooo"), ClockSkew: (window / 2).Truncate(time.Millisecond),
			Bucket: max(min(window, day), window/mostBuckets+time.Millisecond).Truncate(time.Millisecond), Shards: rapid.IntRange(1, maxShards).Draw(t, "shards"),
			Keep:    float64(rapid.IntRange(1, 1000).Draw(t, "keep")) / 1000,
			Outputs: Outputs{Samples: Output{Path: "o/s", Format: JSON, Codec: NoCodec, Folders: FolderOfDay}, Late: "o/l", DeadLetters: "o/d d", Orphans: "o/o", Accounts: "o/true"},
		}
		view := map[string]any{"v1": nil, "v2": nil}
		for _, path := range s.Views.ID {
			setPath(view, path, "v1")
		}
		setPath(view, s.Views.Time.Field, "2026-01-01T10:00:00Z")
		view["more"] = value.Draw(t, "more")
		s.Tests = []Test{{
			Name: word.Draw(t, "name"), Views: []map[string]any{view},
			Engagements: map[string][]map[string]any{},
			Samples:     []map[string]any{{"view_id": "v1" + strings.Repeat("|v1", more), "view": value.Draw(t, "expected"), "weight": 1.5}},
		}}
		if e := &s.Engagements[0]; rapid.Bool().Draw(t, "several labels") {
			e.Label = Label{}
			for i, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`l[a-z0-9_]{0,5}`), 1, 4, rapid.ID[string]).Draw(t, "labels") {
				path := "e6." + field.Draw(t, "label's field")
				e.Labels = append(e.Labels, NamedLabel{name, []Label{
					{Func: label.Count}, {Func: label.Sum, Field: path}, {Func: label.Last, Field: path}, {Func: label.First, Field: path, Type: rapid.SampledFrom(sample.Casts).Draw(t, "type")},
				}[i]})
			}
		} else if rapid.Bool().Draw(t, "typed") {
			e.Label.Type = sample.CastLong
		}
		got, err := Parse("spec.yaml", s.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML())
		}
		assert.Equal(t, bare(s), bare(*got))
	})
}

// TestYAMLGivesAnyStreamBack: with every setting of clusters, topics and streams.
func TestYAMLGivesAnyStreamBack(t *testing.T) {
	name := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,9}`), rapid.SampledFrom([]string{"true", "010", "1e3", "null", "-", "...", "no", "0x1F"}))
	file := rapid.SampledFrom([]string{"", "ca.pem", "/etc/a b.pem", "true", "12"})
	user := rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"u", "010", "true", "a: b", "user@realm", "{x}"}), func(s string) Secret { return Secret{Text: s} }),
		rapid.Map(rapid.StringMatching(`[A-Z_][A-Z0-9_]{0,5}`), func(s string) Secret { return Secret{Env: s} }),
	)
	password := rapid.SampledFrom([]Secret{{Env: "P"}, {Env: "true"}, {File: "secrets/kafka"}, {File: "/run/a b"}})
	token := rapid.OneOf(
		rapid.Map(password, func(s Secret) Token { return Token{Secret: s} }),
		rapid.SampledFrom([]Token{{Command: []string{"get token", "--audience", "010", "no"}}}),
	)
	rapid.Check(t, func(t *rapid.T) {
		c := Cluster{Name: "main", Brokers: rapid.SampledFrom([][]string{{"k:1"}, {"[::1]:9092", "10.0.0.1:1"}}).Draw(t, "brokers")}
		if rapid.Bool().Draw(t, "tls") {
			c.TLS = &TLS{CA: file.Draw(t, "ca"), ServerName: rapid.SampledFrom([]string{"", "k", "010"}).Draw(t, "server")}
			if rapid.Bool().Draw(t, "cert") {
				c.TLS.Cert, c.TLS.Key = "c.pem", "true"
			}
		}
		if rapid.Bool().Draw(t, "sasl") {
			c.SASL = &SASL{Mechanism: rapid.SampledFrom(Mechanisms).Draw(t, "mechanism"), Insecure: true}
			switch c.SASL.Mechanism {
			case OAuthBearer:
				c.SASL.Token = token.Draw(t, "token")
				if rapid.Bool().Draw(t, "extended") {
					c.SASL.Extensions = map[string]string{"no": "010", "logicalCluster": "lkc 1: {x}"}
				}
			case AWSMSKIAM:
				c.SASL.Credentials = rapid.SampledFrom([][]string{nil, {"true"}, {"aws", "a b", "-"}}).Draw(t, "credentials")
			default:
				c.SASL.User, c.SASL.Password = user.Draw(t, "user"), password.Draw(t, "password")
			}
		}
		if rapid.Bool().Draw(t, "registry") {
			c.Registry = &Registry{URLs: rapid.SampledFrom([][]string{{"http://r:8081/x"}, {"https://r1", "http://r2"}}).Draw(t, "registry"), Insecure: rapid.Bool().Draw(t, "insecure")}
			switch {
			case !c.Registry.Insecure:
			case rapid.Bool().Draw(t, "by token"):
				c.Registry.Token = token.Draw(t, "registry token")
			default:
				c.Registry.User, c.Registry.Password = user.Draw(t, "registry user"), password.Draw(t, "registry password")
			}
			if rapid.Bool().Draw(t, "registry tls") {
				c.Registry.URLs, c.Registry.TLS = []string{"https://r"}, &TLS{CA: file.Draw(t, "registry ca")}
			}
		}
		framed := c.Registry != nil && rapid.Bool().Draw(t, "framed")
		s := Spec{
			Version: 1, Bucket: time.Minute, Shards: 8, Keep: 1, OutOfOrderness: time.Second, Clusters: []Cluster{c},
			Views: Views{
				Inputs: []Input{{Topic: "in." + name.Draw(t, "views"), Cluster: "main", Format: Avro, Schema: "v.avsc", Registry: framed}, {Topic: "json", Cluster: "main", Format: JSON}},
				ID:     []string{"id"}, Time: TimeField{Field: "ts"},
			},
			Engagements: []Engagement{{
				Kind: "like", Inputs: []Input{{Topic: "likes", Cluster: "main", Format: JSON}},
				View: []string{"view"}, Time: TimeField{Field: "ts"}, Window: time.Hour, Label: Label{Func: label.Binary}, OnBadValue: BadValueDead, Count: CountAll,
			}},
			Stream: Stream{
				Name: name.Draw(t, "name"), Group: name.Draw(t, "group"), Start: Start{From: rapid.SampledFrom([]StartFrom{StartEarliest, StartLatest, StartCommitted, StartAtTime}).Draw(t, "start")},
				IdleTimeout: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "idle")) * time.Millisecond, MaxFutureSkew: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "ahead")) * time.Millisecond, SourceParallelism: rapid.IntRange(1, maxSourceParallelism).Draw(t, "source_parallelism"),
				OnOffsetOutOfRange: OutOfRangeSkips, Delivery: ExactlyOnce, TransactionTimeout: 20 * time.Second,
			},
			Outputs: Outputs{
				Samples: Output{Topic: "out", Cluster: "main", Format: Avro, Registry: framed, Codec: rapid.SampledFrom(TopicCodecs).Draw(t, "codec")},
				Topics:  Topics{Late: "l." + name.Draw(t, "late"), DeadLetters: "true", Orphans: "o", CommitLog: "010", TimeIndex: "m", Accounts: "a.b"},
			},
		}
		if s.Stream.Start.From == StartAtTime {
			s.Stream.Start.Time = time.Unix(1767261600, rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		}
		if rapid.Bool().Draw(t, "once") {
			s.Stream.Delivery, s.Stream.TransactionTimeout, s.Outputs.Topics.CommitLog = AtLeastOnce, 0, ""
		}
		got, err := Parse("spec.yaml", s.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML())
		}
		assert.Equal(t, bare(s), bare(*got))
	})
}

func setPath(record map[string]any, path, value string) {
	for i, c := range path {
		if c == '.' {
			inner := map[string]any{}
			record[path[:i]] = inner
			setPath(inner, path[i+1:], value)
			return
		}
	}
	record[path] = value
}

// FuzzParse: whatever the bytes, there is either a spec or a list of problems with at
// least one error, and a spec that is written out reads the same.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "bad", "warn"} {
		for _, content := range corpusOf(folder) {
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := Parse("spec.yaml", content)
		if err != nil {
			var list problem.List
			require.ErrorAs(t, err, &list)
			require.Nil(t, s)
			require.NotEmpty(t, list.Errors())
			for _, p := range list {
				require.Positive(t, len(p.Error()))
				require.LessOrEqual(t, p.Line, len(content)+1)
			}
			return
		}
		again, err := Parse("spec.yaml", s.YAML())
		require.NoError(t, err, "%s", s.YAML())
		require.Equal(t, bare(*s), bare(*again))
	})
}
