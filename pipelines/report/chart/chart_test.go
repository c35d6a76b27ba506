package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// element is a start tag of an SVG and the text behind it.
type element struct {
	name string
	at   map[string]string
	text string
}

// elements parses a drawing as XML, which is stricter than HTML.
func elements(t require.TestingT, svg string) (all []element) {
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, svg)
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, at: map[string]string{}}
			for _, a := range token.Attr {
				e.at[a.Name.Local] = a.Value
			}
			all = append(all, e)
		case xml.CharData:
			all[len(all)-1].text += string(token)
		default:
		}
	}
}

func numberAt(t require.TestingT, e element, name string) float64 {
	v, err := strconv.ParseFloat(e.at[name], 64)
	require.NoError(t, err, "%v", e)
	return v
}

var grey = Colours{Ink: "black", Grid: "grey"}

func TestLinesPutPointsWhereTheyBelong(t *testing.T) {
	linear := Axis{Min: 0, Max: 10, Ticks: []Tick{{0, ""}, {10, ""}}}
	decades := Axis{Min: 1, Max: 100, Log: true, Ticks: []Tick{{10, "ten"}}}
	got := Lines(Size{104, 46}, "two points", grey, Panel{
		X: decades, Y: linear, Lines: []Line{{Points: []Point{{1, 0}, {10, 5}, {100, 10}}, Colour: "var(--kind0)", Width: 2, Dash: "5 3"}},
	})
	// x: 5 of labels, which are empty, to 102; y: 20 of the title to 46-20.
	assert.Contains(t, got, `<path d="M5 26L53.5 23L102 20" style="fill:none;stroke:var(--kind0);stroke-width:2;stroke-linejoin:round;stroke-dasharray:5 3"/>`)
	assert.Contains(t, got, `<text x="53.5" y="42" text-anchor="middle" style="fill:black;font-size:11px">ten</text>`)
}

func TestLinesShareTheirXAxis(t *testing.T) {
	panel := func(label string) Panel {
		return Panel{
			Title: "above", X: Axis{Max: 1, Ticks: []Tick{{0, "first"}, {1, "a long last label"}}}, Y: Axis{Max: 1, Ticks: []Tick{{1, label}}},
			Lines: []Line{{Points: []Point{{0, 0}, {1, 1}}, Colour: "red", Width: 1}},
		}
	}
	var lines, labels []element
	for _, e := range elements(t, Lines(Size{300, 200}, "", grey, panel("1"), panel("1,000,000"))) {
		if strings.Contains(e.at["style"], "stroke:red") {
			lines = append(lines, e)
		}
		if e.name == "text" && e.at["text-anchor"] == "middle" {
			labels = append(labels, e)
		}
	}
	require.Len(t, lines, 2)
	first, _, _ := strings.Cut(lines[0].at["d"], " ")
	second, _, _ := strings.Cut(lines[1].at["d"], " ")
	assert.Equal(t, first, second, "data begins one above the other")
	require.Len(t, labels, 2, "only the lowest panel has labels of the x axis")
	for _, e := range labels {
		x, half := numberAt(t, e, "x"), textWidth(e.text)/2
		assert.GreaterOrEqual(t, x-half, -0.1, e.text)
		assert.LessOrEqual(t, x+half, 300.1, e.text)
	}
}

// Whatever the figures and words, a drawing is XML without a number that is none.
func TestDrawingsOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "like", `"><script>`, "</svg>", "ümläut & co"})
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1}))
		points := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Point { return Point{value.Draw(t, "x"), value.Draw(t, "y")} })).Draw(t, "points")
		text := word.Draw(t, "text")
		for _, svg := range []string{
			Lines(Size{330, 220}, text, grey, Panel{Title: text, X: Axis{Min: 1, Max: 2, Log: true}, Y: Axis{Max: 1}, Lines: []Line{{Points: points, Colour: text}}}),
			Bars(Size{510, 227}, text, []string{text}, []Series{{Name: text, Colour: text, Values: []float64{rapid.Float64Range(-1, 1e12).Draw(t, "bar")}}}, func(v float64) string { return strconv.Itoa(int(v)) }),
		} {
			for _, e := range elements(t, svg) {
				assert.Contains(t, []string{"svg", "path", "text", "rect", "title", "desc", "style"}, e.name)
				assert.NotContains(t, e.at["d"], "N", "NaN")
				assert.NotContains(t, e.at["d"], "I", "Inf")
			}
		}
	})
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		high  float64
		most  int
		whole bool
		want  []float64
	}{
		{1, 5, false, []float64{0, 0.5, 1}},
		{1, 5, true, []float64{0, 1}},
		{0.3, 5, true, []float64{0}},
		{6.9, 5, false, []float64{0, 2, 4, 6}},
		{217, 4, true, []float64{0, 100, 200}},
		{130_000, 5, false, []float64{0, 50_000, 100_000}},
		{0, 5, false, []float64{0}},
		{math.NaN(), 5, false, []float64{0}},
		{math.Inf(1), 5, false, []float64{0}},
	} {
		assert.InDeltaSlice(t, c.want, Steps(c.high, c.most, c.whole), 1e-9, "%v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		high, most := math.Exp(rapid.Float64Range(-20, 60).Draw(t, "log")), rapid.IntRange(3, 9).Draw(t, "most")
		steps := Steps(high, most, false)
		assert.LessOrEqual(t, len(steps), most)
		assert.Greater(t, len(steps), 1)
		assert.LessOrEqual(t, steps[len(steps)-1], high)
	})
}

func TestBarsSayInWordsWhatTheyShow(t *testing.T) {
	series := []Series{{"ours", "#1b6ca8", []float64{100, 50}}, {"theirs", "#d98b2b", []float64{25, 0}}}
	all := elements(t, Bars(Size{510, 227}, "Events a second", []string{"one", "two"}, series, func(v float64) string { return strconv.Itoa(int(v)) }))
	assert.Equal(t, "Events a second", all[1].text)
	assert.Equal(t, "one: ours 100, theirs 25. two: ours 50, theirs 0. ", all[2].text)
	heights := map[string]float64{}
	for i, e := range all {
		if e.name == "rect" && strings.Contains(all[i+1].text, ":") {
			heights[all[i+1].text] = numberAt(t, e, "height")
		}
	}
	assert.InDelta(t, 2*heights["ours, two: 50"], heights["ours, one: 100"], 0.2)
	assert.InDelta(t, 4*heights["theirs, one: 25"], heights["ours, one: 100"], 0.2)
	assert.Contains(t, heights, "theirs, two: 0")
}
