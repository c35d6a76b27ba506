package batch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// outlierSpec joins JSON lines, or whatever comes instead.
const outlierSpec = `
views: {inputs: views/*.jsonl, id: id, time: {field: t, unit: epoch-millis}}
engagements:
  like: {inputs: likes/*.jsonl, view: id, time: {field: t, unit: epoch-millis}, window: 1m}
outputs: {samples: out/samples, orphans: out/orphans}
`

const begin = 1767225600000 // 2026-01-01

func line(id string, ms int64) string { return fmt.Sprintf("{\"id\":%q,\"t\":%d}\n", id, ms) }

func TestOutliers(t *testing.T) {
	ordinary := line("a", begin) + line("b", begin+60_000) + line("c", begin+7_200_000)
	liked := line("a", begin+1000) + line("c", begin+7_201_000)
	year := func(y int) int64 { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC).UnixMilli() }
	for name, test := range map[string]struct {
		views, likes string
		edits        []string
		check        func(t *testing.T, v account.Views, e *account.Engagements, samples []row)
	}{
		"a view of 1971": {views: ordinary + line("old", year(1971)), likes: liked, check: func(t *testing.T, v account.Views, _ *account.Engagements, samples []row) {
			require.EqualValues(t, 4, v.N[account.Samples])
			require.Equal(t, "old", samples[0].ViewID)
		}},
		"a view of 2150": {views: line("new", year(2150)) + ordinary, likes: liked, check: func(t *testing.T, v account.Views, _ *account.Engagements, samples []row) {
			require.EqualValues(t, 4, v.N[account.Samples])
			require.EqualValues(t, 2, v.N[account.Positives])
			require.Equal(t, "new", samples[3].ViewID)
		}},
		"likes of 1971 and 2150": {views: ordinary, likes: line("a", year(2150)) + line("b", year(1971)) + liked, check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 3, v.N[account.Samples])
			require.EqualValues(t, 2, v.N[account.Positives])
			require.EqualValues(t, 2, e.N[account.Orphans], "no view is near them")
		}},
		"the first and the last time": {
			views: ordinary + line("old", 0) + line("new", record.MaxTime), likes: liked + line("a", 0) + line("old", 0) + line("b", record.MaxTime) + line("new", record.MaxTime),
			check: func(t *testing.T, v account.Views, e *account.Engagements, samples []row) {
				require.EqualValues(t, 5, v.N[account.Samples])
				require.EqualValues(t, 4, v.N[account.Positives])
				require.EqualValues(t, 2, e.N[account.Orphans])
				require.Equal(t, "old", samples[0].ViewID)
				require.Equal(t, "new", samples[4].ViewID)
			},
		},
		"times of no event": {views: ordinary + line("x", -1) + line("y", 1<<62) + line("z", year(2200)), likes: liked + line("a", -5), check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 3, v.N[account.Dead])
			require.EqualValues(t, 1, e.N[account.Dead])
			require.EqualValues(t, 3, v.N[account.Samples])
		}},
		"a view of 2150 in a partition with an order": {
			views: line("a", begin) + line("new", year(2150)) + line("b", begin+60_000), likes: liked,
			edits: []string{"views/*.jsonl", "[{path: views/*.jsonl, order: file}]"},
			check: func(t *testing.T, v account.Views, _ *account.Engagements, _ []row) {
				require.EqualValues(t, 3, v.N[account.Samples])
				require.Zero(t, v.N[account.Late], "one record alone does not move the watermark")
			},
		},
		"two views of 2150 in a partition with an order": {
			views: line("a", begin) + line("new", year(2150)) + line("newer", year(2150)) + line("b", begin+60_000), likes: liked,
			edits: []string{"views/*.jsonl", "[{path: views/*.jsonl, order: file}]"},
			check: func(t *testing.T, v account.Views, _ *account.Engagements, _ []row) {
				require.EqualValues(t, 3, v.N[account.Samples])
				require.EqualValues(t, 1, v.N[account.Late], "the watermark is that of 2150")
			},
		},
		"poison": {views: ordinary + "\x00\xff\xfe{]\n" + strings.Repeat("[", 100_000) + "\n" + `{"id":` + "\n" + line("d", begin), likes: liked + "\"\n", check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 3, v.N[account.Dead])
			require.EqualValues(t, 1, e.N[account.Dead])
			require.EqualValues(t, 4, v.N[account.Samples])
		}},
		"10 MB in one view": {views: ordinary + `{"id":"big","t":1767225600001,"x":"` + strings.Repeat("0123456789", 1_000_000) + "\"}\n", likes: liked, check: func(t *testing.T, v account.Views, _ *account.Engagements, samples []row) {
			require.EqualValues(t, 4, v.N[account.Samples])
			require.Greater(t, len(samples[1].View), 10_000_000)
		}},
		"more in one view than is taken": {views: ordinary + `{"id":"big","t":1767225600001,"x":"` + strings.Repeat("0123456789", 1_700_000) + "\"}\n" + line("d", begin), likes: liked, check: func(t *testing.T, v account.Views, _ *account.Engagements, _ []row) {
			require.EqualValues(t, 4, v.N[account.Samples])
			require.EqualValues(t, 1, v.N[account.Dead])
		}},
		"10 MB in the id": {views: ordinary + line(strings.Repeat("v", 10_000_000), begin+1), likes: liked + line(strings.Repeat("v", 10_000_000), begin+2), check: func(t *testing.T, v account.Views, _ *account.Engagements, _ []row) {
			require.EqualValues(t, 4, v.N[account.Samples])
			require.EqualValues(t, 3, v.N[account.Positives])
		}},
		"empty ids": {views: ordinary + line("", begin) + `{"id":null,"t":1767225600000}` + "\n" + `{"t":1767225600000}` + "\n" + `{"id":1.5,"t":1767225600000}` + "\n", likes: liked + line("", begin), check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 3, v.N[account.Samples])
			require.EqualValues(t, 4, v.N[account.Dead])
			require.EqualValues(t, 1, e.N[account.Dead])
		}},
		"no engagement": {views: ordinary, check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 3, v.N[account.Samples])
			require.Zero(t, v.N[account.Positives])
			require.Zero(t, e.N[account.Read])
		}},
		"no view": {likes: liked, check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.Zero(t, v.N[account.Read])
			require.EqualValues(t, 2, e.N[account.Orphans])
		}},
		"nothing at all": {check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.Zero(t, v.N[account.Read]+e.N[account.Read])
		}},
		"nothing of use": {views: "x\ny\n", likes: "z", check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 2, v.N[account.Dead])
			require.EqualValues(t, 1, e.N[account.Dead])
		}},
		"everything at once": {views: strings.Repeat(line("a", begin), 3000), likes: strings.Repeat(line("a", begin), 3000), check: func(t *testing.T, v account.Views, e *account.Engagements, _ []row) {
			require.EqualValues(t, 1, v.N[account.Samples])
			require.EqualValues(t, 2999, v.N[account.Duplicates])
			require.EqualValues(t, 1, e.N[account.Matched])
		}},
	} {
		for _, interval := range []time.Duration{0, time.Hour} {
			t.Run(strings.ReplaceAll(name, " ", "_")+"_"+interval.String(), func(t *testing.T) {
				dir := t.TempDir()
				write(t, dir+"/views/a.jsonl", test.views)
				write(t, dir+"/views/empty.jsonl", "")
				write(t, dir+"/likes/a.jsonl", test.likes)
				write(t, dir+"/spec.yaml", outlierSpec)
				s := loadSpec(t, dir, test.edits...)
				r := join(t, s, Options{Interval: interval})
				samples := samplesBelow(t, s.Outputs.Samples.Path)
				require.EqualValues(t, r.Accounts.Views.N[account.Samples], len(samples))
				require.EqualValues(t, r.Accounts.Views.N[account.Dead]+r.Accounts.Engagements["like"].N[account.Dead], len(lines(t, s.Outputs.DeadLetters)))
				require.Len(t, lines(t, s.Outputs.Orphans), int(r.Accounts.Engagements["like"].N[account.Orphans]))
				require.Less(t, r.Intervals, 8)
				test.check(t, r.Accounts.Views, r.Accounts.Engagements["like"], samples)
			})
		}
	}
}

func TestFilesOfNoRecords(t *testing.T) {
	dir := t.TempDir()
	newShop(0).write(t, dir, "avro")
	s := shopSpec(t, dir, "avro", "", "")
	r := join(t, s, Options{})
	require.Zero(t, r.Accounts.Views.N[account.Read])
	require.Equal(t, 1, r.Intervals)
	require.Empty(t, samplesBelow(t, s.Outputs.Samples.Path))
	newShop(40).write(t, dir, "avro")
	writeAvro(t, dir+"/views/none.avro", viewSchema, 1000)
	r = join(t, s, Options{})
	require.EqualValues(t, 40, r.Accounts.Views.N[account.Samples])
	require.Len(t, samplesBelow(t, s.Outputs.Samples.Path), 40)
	for _, ending := range textEndings {
		dir := t.TempDir()
		newShop(0).write(t, dir, ending)
		for _, schemas := range [][2]string{{}, {", schema: view.avsc", ", schema: like.avsc"}} {
			require.Zero(t, join(t, shopSpec(t, dir, ending, schemas[0], schemas[1]), Options{}).Accounts.Views.N[account.Read])
		}
	}
}

// TestDamageCostsOneBlock cuts and breaks an Avro file in all sorts of places.
func TestDamageCostsOneBlock(t *testing.T) {
	dir := t.TempDir()
	newShop(300).write(t, dir, "avro")
	file := dir + "/views/part-1.avro"
	sound := contents(t, dir)["views/part-1.avro"]
	s := shopSpec(t, dir, "avro", "", "")
	for _, length := range []int{len(sound) - 1, len(sound) - 17, len(sound) / 2, len(sound) / 3} {
		write(t, file, sound[:length])
		r := join(t, to(s, t.TempDir()), Options{Interval: 10 * time.Minute})
		require.Positive(t, r.Accounts.Views.N[account.Dead])
		require.Less(t, r.Accounts.Views.N[account.Samples], int64(300))
	}
	for at := len(sound) / 4; at < len(sound); at += len(sound) / 9 {
		write(t, file, sound[:at]+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"+sound[at+12:])
		moved := to(s, t.TempDir())
		r := join(t, moved, Options{Interval: 10 * time.Minute})
		require.Greater(t, r.Accounts.Views.N[account.Samples], int64(200))
		require.Len(t, samplesBelow(t, moved.Outputs.Samples.Path), int(r.Accounts.Views.N[account.Samples]))
	}
}

// TestIntervalBounds: a run of some of the time gives what the whole gives for that time,
// whatever lies outside and reaches in.
func TestIntervalBounds(t *testing.T) {
	c := everything(2500)
	c.ViewTime = false
	dir, _ := made(t, c)
	s := loadSpec(t, dir, allOutputs...)
	whole := to(s, t.TempDir())
	join(t, whole, Options{})
	all := samplesBelow(t, whole.Outputs.Samples.Path)
	at := func(ms int64) time.Time { return timeOf(begin + ms) }
	for _, test := range []Options{
		{From: at(301_001), To: at(302_003)},
		{From: at(60_000)},
		{To: at(600_001)},
		{From: at(1), To: at(1_000_000), Interval: 90 * time.Second},
	} {
		part := to(s, t.TempDir())
		r := join(t, part, test)
		var want []row
		for _, sample := range all {
			if in := timeOf(sample.ViewTime); (test.From.IsZero() || !in.Before(test.From)) && (test.To.IsZero() || in.Before(test.To)) {
				want = append(want, sample)
			}
		}
		require.NotEmpty(t, want)
		require.Equal(t, want, samplesBelow(t, part.Outputs.Samples.Path))
		require.EqualValues(t, len(want), r.Accounts.Views.N[account.Samples])
	}
	// Where nothing happened there is nothing, and an account of that.
	r := join(t, to(s, t.TempDir()), Options{From: at(-7_200_000), To: at(-3_600_000)})
	require.Zero(t, r.Accounts.Views.N[account.Samples]+r.Accounts.Views.N[account.Late])
	_, err := Run(t.Context(), s, Options{Interval: time.Microsecond})
	require.ErrorContains(t, err, "intervals of 1µs")
}

// TestFoldersOfOtherDaysAreNotRead has files that cannot be read in folders far away from
// the time asked for; where folders are trusted, only those nearby are found. What is read
// gives the same.
func TestFoldersOfOtherDaysAreNotRead(t *testing.T) {
	dir := t.TempDir()
	day := func(n int) string { return time.UnixMilli(begin).UTC().AddDate(0, 0, n).Format("2006-01-02") }
	for n := -6; n <= 6; n++ {
		for hour := 0; hour < 24; hour += 6 {
			ms := begin + int64(n*24+hour)*3_600_000
			folder := fmt.Sprintf("dt=%s/hour=%02d/", day(n), hour)
			// Views at the start of the hour, in the folder of the time they arrived.
			write(t, dir+"/views/"+folder+"a.jsonl", line(fmt.Sprint("v", n, ".", hour), ms)+line(fmt.Sprint("w", n, ".", hour), ms-1))
			write(t, dir+"/likes/"+folder+"a.jsonl", line(fmt.Sprint("v", n, ".", hour), ms+59_999)+line(fmt.Sprint("w", n, ".", hour), ms+30_000))
		}
	}
	write(t, dir+"/spec.yaml", strings.ReplaceAll(outlierSpec, "/*.jsonl", "/dt=*/hour=*/*.jsonl"))
	s := loadSpec(t, dir)
	opt := Options{From: timeOf(begin), To: timeOf(begin + 24*3_600_000)}
	want := samplesOf(t, s, opt)
	flat := parse(t, dir, strings.ReplaceAll(outlierSpec, "/*.jsonl", "/**/*.jsonl"))
	require.Equal(t, want, samplesOf(t, flat, opt))
	require.Len(t, want, 8)

	opt.Folders = Folders{Trust: true, Slack: 24 * time.Hour}
	p, err := newPlan(t.Context(), s, planOptions{from: opt.From, to: opt.To, folders: opt.Folders})
	require.NoError(t, err)
	require.Less(t, len(p.files), 2*13*4*2/3)
	for n := range 2 {
		write(t, dir+"/views/dt="+day(5+n)+"/hour=00/a.avro", "not read")
	}
	withAvro := parse(t, dir, strings.ReplaceAll(outlierSpec, "views/*.jsonl", "[views/dt=*/hour=*/*.jsonl, views/dt=*/hour=*/*.avro]"))
	withAvro.Engagements[0].Inputs[0].Path = s.Engagements[0].Inputs[0].Path
	require.Equal(t, want, samplesOf(t, withAvro, opt))
	_, err = Run(t.Context(), to(withAvro, t.TempDir()), Options{})
	require.ErrorContains(t, err, "T2008")
}

// samplesOf runs s and returns its samples.
func samplesOf(t *testing.T, s *spec.Spec, opt Options) []row {
	t.Helper()
	s = to(s, t.TempDir())
	join(t, s, opt)
	return samplesBelow(t, s.Outputs.Samples.Path)
}
