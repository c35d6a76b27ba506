package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	own "tributary/io/iotest"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/runners"
	"tributary/transforms/account"
)

// piped runs a spec with stdin, and returns what it has written to stdout.
func piped(t *testing.T, s *spec.Spec, stdin string, opt Options) (*report.Report, []byte) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	opt.Stdin, opt.Stdout = strings.NewReader(stdin), &out
	r := join(t, s, opt)
	require.Empty(t, below(t, os.TempDir()), "nothing is left behind")
	return r, out.Bytes()
}

// TestStdoutIsOneFile: however intervals are cut, stdout gets the bytes of the one file that a folder has where there is one
// interval; in every format.
func TestStdoutIsOneFile(t *testing.T) {
	log := newShop(170) // up to midnight
	for format, codecs := range spec.Codecs {
		if codecs = codecs[:1]; format == spec.JSON {
			codecs = spec.Codecs[format]
		}
		for _, codec := range codecs {
			t.Run(fmt.Sprint(format, " ", codec), func(t *testing.T) {
				dir := t.TempDir()
				log.write(t, dir, "avro")
				samples := fmt.Sprintf(`{path: out/samples, format: %s, codec: "%s"}`, format, codec)
				text := `
views: {inputs: views/*.avro, id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, id: event_id, window: 1m, label: {sum: amount}}
outputs: {samples: ` + samples + "}\n"
				folder := parse(t, dir, text)
				want := join(t, folder, Options{})
				files := below(t, folder.Outputs.Samples.Path)
				require.Len(t, files, 1)
				content, err := os.ReadFile(files[0])
				require.NoError(t, err)
				s := parse(t, dir, strings.Replace(text, "out/samples", `"-"`, 1))
				for interval, parts := range map[time.Duration]int{0: 1, 5 * time.Minute: 6} {
					r, got := piped(t, s, "", Options{Interval: interval})
					require.Equal(t, parts, r.Intervals)
					require.True(t, string(content) == string(got), "intervals of %s: %d bytes, want %d", interval, len(got), len(content))
					require.Equal(t, want.Accounts.Bytes.Out, r.Accounts.Bytes.Out)
					require.Equal(t, counts(want.Accounts), counts(r.Accounts))
					require.Equal(t, report.Output{Name: "samples", Path: "-", Count: 170}, r.Outputs[0])
				}
			})
		}
	}
}

// TestStdoutOfUnits: samples of intervals that are joined at once come in the same order, and nothing is kept between runs.
func TestStdoutOfUnits(t *testing.T) {
	dir := weekly(t, 5000)
	s := loadSpec(t, dir, "samples: out/samples", "samples: {path: out/samples, format: json}")
	join(t, s, Options{})
	want := strings.Join(lines(t, s.Outputs.Samples.Path), "\n") + "\n"
	out := loadSpec(t, dir, "samples: out/samples", `samples: {path: "-", format: json}`)
	for range 2 {
		r, got := piped(t, out, "", Options{})
		require.Greater(t, r.Intervals, 1)
		require.Zero(t, r.Finished)
		require.True(t, want == string(got))
	}
	// Fingerprints do not depend on where temporary files are.
	fingerprints := func() (all []string) {
		for _, content := range contents(t, out.Outputs.Accounts) {
			l, err := account.Decode([]byte(content))
			require.NoError(t, err)
			all = append(all, l.Fingerprint)
		}
		slices.Sort(all)
		return all
	}
	first := fingerprints()
	piped(t, out, "", Options{})
	require.Equal(t, first, fingerprints())
}

// TestStdoutWithoutSamples is a file of the format all the same.
func TestStdoutWithoutSamples(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/none.jsonl", "")
	for format, want := range map[string]string{"json": "", "csv": "view_id,view_time,positive,labels.like,delay_ms.like,maturity_ms,sampling_rate,weight,spec_version,view\n"} {
		s := parse(t, dir, `
views: {inputs: none.jsonl, id: view_id, time: ts}
engagements: {like: {inputs: none.jsonl, where: {a: b}, view: view_id, time: ts, window: 1m}}
outputs: {samples: {path: "-", format: `+format+"}}\n")
		_, got := piped(t, s, "", Options{})
		require.Equal(t, want, string(got))
	}
}

// TestStdinIsAFile: stdin gives what a file with the same bytes gives, in every format and compression, for one role and for
// several, in each order; dead letters name it.
func TestStdinIsAFile(t *testing.T) {
	log := newShop(300)
	var all []string
	for i, row := range jsonRows(viewColumns, log.views) {
		all = append(all, fmt.Sprintf(`{"event":"view","p":"p%d","o":%d,%s`, i%3, i, row[1:]))
	}
	for i, row := range jsonRows(likeColumns, log.likes) {
		all = append(all, fmt.Sprintf(`{"event":"like","p":"q","o":%d,%s`, i, row[1:]))
	}
	all = append(all, `{"event":"view","p":"p0","o":999}`, `no JSON`)
	const one = `
views: {inputs: [{path: IN%[1]s}], where: {event: view}, id: view_id, time: ts}
engagements:
  like: {inputs: [{path: IN%[1]s}], where: {event: like}, view: view_id, time: ts, id: event_id, window: 1m, label: {sum: amount}}
outputs: {samples: {path: out/samples, format: json}, dead_letters: out/dead}
`
	dir := t.TempDir()
	log.write(t, dir, "avro")
	views, err := os.ReadFile(dir + "/views/part-1.avro")
	require.NoError(t, err)
	const views1 = `
views: {inputs: [{path: IN%[1]s}], id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, id: event_id, window: 1m, label: {sum: amount}}
outputs: {samples: {path: out/samples, format: json}, dead_letters: out/dead}
`
	type input struct{ name, text, more, ending, content string }
	inputs := []input{
		{"avro", views1, "", "avro", string(views)},
		{"a table", views1, ", delimiter: tab", "csv", strings.ReplaceAll(csvRows(viewColumns[:3], cut(log.views, 3)), ",", "\t")},
		{"one log, records in order", one, ", order: {partition: p, offset: o}", "jsonl", strings.Join(all[:len(all)-1], "\n")},
		{"one log, a file in order", one, ", order: file", "jsonl", strings.Join(all, "\n")},
	}
	for _, ending := range []string{"jsonl", "jsonl.gz", "jsonl.zst", "jsonl.lz4"} {
		inputs = append(inputs, input{"one log, " + ending, one, "", ending, string(own.Pack(t, ending, []byte(strings.Join(all, "\n"))))})
	}
	for _, c := range inputs {
		t.Run(c.name, func(t *testing.T) {
			format := map[string]string{"avro": "avro", "csv": "csv"}[c.ending]
			if format == "" {
				format = "json"
			}
			path := dir + "/in." + c.ending
			write(t, path, c.content)
			text := fmt.Sprintf(c.text, ", format: "+format+c.more)
			file := to(parse(t, dir, strings.ReplaceAll(text, "IN", path)), t.TempDir())
			want := join(t, file, Options{})
			stdin := to(parse(t, dir, strings.ReplaceAll(text, "IN", `"-"`)), t.TempDir())
			got, _ := piped(t, stdin, c.content, Options{})
			require.Equal(t, counts(want.Accounts), counts(got.Accounts))
			require.Equal(t, want.Accounts.Bytes, got.Accounts.Bytes)
			require.Equal(t, contents(t, file.Outputs.Samples.Path), contents(t, stdin.Outputs.Samples.Path))
			require.Positive(t, want.Accounts.Views.N[account.Positives])
			dead := strings.Join(lines(t, stdin.Outputs.DeadLetters), "\n")
			require.Equal(t, strings.ReplaceAll(strings.Join(lines(t, file.Outputs.DeadLetters), "\n"), path, stdinPath), dead)
			if c.text == one {
				require.Contains(t, dead, stdinPath)
			}
		})
	}
}

// cut are the first cells of rows.
func cut(rows [][]string, n int) (out [][]string) {
	for _, r := range rows {
		out = append(out, r[:n])
	}
	return out
}

// stdinSpec reads views from stdin, and writes samples to out.
func stdinSpec(t *testing.T, out string) *spec.Spec {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/likes.csv", "view_id,ts\nv1,2026-01-01T10:00:05Z\n")
	return parse(t, dir, `
views: {inputs: [{path: "-", format: json}], id: view_id, time: ts}
engagements: {like: {inputs: likes.csv, view: view_id, time: ts, window: 1m}}
outputs: {samples: {path: `+out+`, format: json}}
`)
}

const oneView = `{"view_id":"v1","ts":"2026-01-01T10:00:00Z"}` + "\n"

// TestStdinAgain: what was finished of the same stdin is not joined again, and of another one it is.
func TestStdinAgain(t *testing.T) {
	s := stdinSpec(t, "out")
	for _, c := range []struct {
		stdin    string
		finished int
	}{{oneView, 0}, {oneView, 1}, {strings.Replace(oneView, "v1", "v2", 1), 0}} {
		r, _ := piped(t, s, c.stdin, Options{})
		require.Equal(t, c.finished, r.Finished)
	}
	require.Contains(t, strings.Join(lines(t, s.Outputs.Samples.Path), ""), `"view_id":"v2"`)
}

// TestPipesFail: no byte comes out of a join that does not succeed, and nothing is left behind.
func TestPipesFail(t *testing.T) {
	broken := errors.New("the pipe burst")
	for _, c := range []struct {
		name  string
		stdin io.Reader
		spoil func(s *spec.Spec)
		want  string
	}{
		{"reading stdin", io.MultiReader(strings.NewReader(oneView), iotest.ErrReader(broken)), nil, "read stdin: the pipe burst"},
		{"cut off in its compression", bytes.NewReader(own.Pack(t, "x.gz", []byte(oneView))[:30]), nil, "/dev/stdin: gzip is cut off"},
		{"another format", strings.NewReader("PAR1"), func(s *spec.Spec) { s.Views.Inputs[0].Format = spec.Avro }, "/dev/stdin"},
		{"a field that is not there", strings.NewReader("id,ts\n1,2\n"), func(s *spec.Spec) { s.Views.Inputs[0].Format = spec.CSV }, `/dev/stdin has no field "view_id"`},
		{"accounts that cannot be written", strings.NewReader(oneView), func(s *spec.Spec) {
			require.NoError(t, os.MkdirAll(s.Outputs.Accounts+"/dt=2026-01-01/accounts-20260101T000000Z-20260102T000000Z.json", 0o755))
		}, "it is a folder"},
		{"a format that has no columns for them", strings.NewReader(oneView), func(s *spec.Spec) {
			s.Outputs.Samples.Format, s.Outputs.Samples.Codec = "parquet", "zstd"
			s.Sample = spec.Sample{View: "none", Fields: []spec.SampleField{{Name: "a", Field: "a"}}}
		}, "cannot be written as parquet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			s := stdinSpec(t, `"-"`)
			if c.spoil != nil {
				c.spoil(s)
			}
			var out bytes.Buffer
			_, err := Run(t.Context(), s, Options{Stdin: c.stdin, Stdout: &out})
			require.ErrorContains(t, err, c.want)
			require.Empty(t, out.String())
			left, err := filepath.Glob(os.TempDir() + "/*")
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

// TestPipesThatBlock: a run that is cancelled does not wait for who writes to stdin, or reads from stdout.
func TestPipesThatBlock(t *testing.T) {
	for _, blocked := range []string{"stdin", "stdout"} {
		t.Setenv("TMPDIR", t.TempDir())
		read, written := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		opt := Options{Stdin: read, Stdout: io.Discard}
		if blocked == "stdout" {
			opt.Stdin, opt.Stdout = strings.NewReader(oneView), written
			go func() {
				_, _ = read.Read(make([]byte, 1)) // the first byte is there: all else has succeeded
				cancel()
			}()
		} else {
			opt.Progress = func(p Progress) {
				if p.Stage == "stdin" && p.Done == int64(len(oneView)) {
					cancel()
				}
			}
			go func() { _, _ = io.WriteString(written, oneView) }()
		}
		_, err := Run(ctx, stdinSpec(t, `"-"`), opt)
		require.ErrorIs(t, err, context.Canceled, blocked)
		require.Empty(t, below(t, os.TempDir()), blocked)
		require.NoError(t, written.Close())
		require.NoError(t, read.Close())
	}
}

// TestNoPipes: who has no stdin and stdout refuses specs that name them, at each of their places.
func TestNoPipes(t *testing.T) {
	s := stdinSpec(t, `"-"`)
	for _, c := range []struct {
		opt  Options
		want []string
	}{
		{Options{}, []string{"views.inputs.0", "outputs.samples"}},
		{Options{Stdin: strings.NewReader(""), Stdout: io.Discard, Runner: runners.Get("direct")}, []string{"views.inputs.0", "outputs.samples"}},
		{Options{Stdin: strings.NewReader("")}, []string{"outputs.samples"}},
		{Options{Stdout: io.Discard}, []string{"views.inputs.0"}},
	} {
		_, err := Run(t.Context(), s, c.opt)
		var list problem.List
		require.ErrorAs(t, err, &list)
		var got []string
		for _, p := range list {
			require.Equal(t, codeNoPipe, p.Code)
			got = append(got, p.Field)
		}
		require.Equal(t, c.want, got)
	}
	_, err := StreamInputs(t.Context(), s, nil)
	require.ErrorContains(t, err, codeNoPipe)

	// A look at inputs reads stdin, and keeps it until it is closed.
	t.Setenv("TMPDIR", t.TempDir())
	i, problems, err := Inspect(t.Context(), s, strings.NewReader(oneView))
	require.NoError(t, err)
	require.Empty(t, problems)
	require.EqualValues(t, len(oneView), i.Files(0)[0].Size)
	require.NoError(t, i.Close())
	require.Empty(t, below(t, os.TempDir()))
	_, problems, err = Inspect(t.Context(), s, nil)
	require.NoError(t, err)
	require.Equal(t, codeNoPipe, problems[0].Code)
}
