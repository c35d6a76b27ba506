package chart

import "fmt"

// Series is a bar in each group, of one colour. Values below zero are drawn as zero.
type Series struct {
	Name, Colour string
	Values       []float64
}

const (
	barWidth, barGap = 62, 3
	legendRoom       = 18
)

// scheme has the colours of a file; a reader's setting chooses between light and dark.
const scheme = `<style>svg{--ink:#1d2329;--grid:#e3e6e9;background:#fff;font-family:system-ui,sans-serif}` +
	`@media(prefers-color-scheme:dark){svg{--ink:#e4e8eb;--grid:#333a41;background:#14171a}}</style>`

// Bars draws groups of bars from 0, each with its value above it as format writes it, and the
// names of the series in a legend. The drawing is the content of a file of its own; its words are
// in it as a title and a description too.
func Bars(size Size, title string, groups []string, series []Series, format func(float64) string) string {
	var d drawing
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s">`, number(size.Width), number(size.Height))
	d.printf("<title>%s</title><desc>%s</desc>%s", escape(title), escape(describe(groups, series, format)), scheme)
	c := Colours{Ink: "var(--ink)", Grid: "var(--grid)"}
	high := 0.0
	for _, s := range series {
		for _, v := range s.Values {
			high = max(high, v)
		}
	}
	if high == 0 {
		high = 1
	}
	f := frame{right: size.Width - 8, top: titleRoom + legendRoom, bottom: size.Height - axisRoom, x: Axis{Max: float64(len(groups))}, y: Axis{Max: 1.1 * high}}
	for _, at := range Steps(f.y.Max, 5, false) {
		tick := Tick{At: at, Label: format(at)}
		f.y.Ticks = append(f.y.Ticks, tick)
		f.left = max(f.left, 8+textWidth(tick.Label)+labelGap)
	}
	for i, name := range groups {
		f.x.Ticks = append(f.x.Ticks, Tick{At: float64(i) + 0.5, Label: name})
	}
	d.text(8, titleRoom-4, "start", c.Ink, title)
	f.legend(&d, c, series)
	f.grid(&d, c)
	for i, s := range series {
		for j, v := range s.Values {
			v = max(v, 0)
			x := f.atX(float64(j)+0.5) + (float64(i)-float64(len(series))/2)*(barWidth+barGap)
			y := f.atY(v)
			d.rect(x, y, barWidth, f.bottom-y, s.Colour, fmt.Sprintf("%s, %s: %s", s.Name, groups[j], format(v)))
			d.text(x+barWidth/2, y-3, "middle", c.Ink, format(v))
		}
	}
	f.base(&d, c)
	return d.close() + "\n"
}

// legend names the series, from left to right as their bars stand.
func (f *frame) legend(d *drawing, c Colours, series []Series) {
	x, y := f.left, f.top-legendRoom+2
	for _, s := range series {
		d.rect(x, y, 9, 9, s.Colour, s.Name)
		d.text(x+13, y+9, "start", c.Ink, s.Name)
		x += 13 + textWidth(s.Name) + 14
	}
}

// describe says in words what bars show.
func describe(groups []string, series []Series, format func(float64) string) string {
	text := ""
	for j, group := range groups {
		text += group + ":"
		for i, s := range series {
			if i > 0 {
				text += ","
			}
			text += " " + s.Name + " " + format(s.Values[j])
		}
		text += ". "
	}
	return text
}
