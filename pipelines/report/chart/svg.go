package chart

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
)

// drawing is an SVG being written. Its y axis points downwards, as that of SVG does.
type drawing struct{ bytes.Buffer }

func (d *drawing) printf(format string, args ...any) { d.Write(fmt.Appendf(nil, format, args...)) }

func (d *drawing) close() string {
	d.WriteString("</svg>")
	return d.String()
}

// path joins points.
func (d *drawing) path(points []Point, colour string, width float64, dash string) {
	d.WriteString(`<path d="`)
	for i, p := range points {
		command := byte('L')
		if i == 0 {
			command = 'M'
		}
		d.WriteByte(command)
		d.WriteString(number(p.X) + " " + number(p.Y))
	}
	d.printf(`" style="fill:none;stroke:%s;stroke-width:%s;stroke-linejoin:round`, escape(colour), number(width))
	if dash != "" {
		d.WriteString(";stroke-dasharray:" + escape(dash))
	}
	d.WriteString(`"/>`)
}

// text writes a line of text whose base line begins, ends or has its middle at (x, y), as anchor
// says: start, end or middle.
func (d *drawing) text(x, y float64, anchor, colour, text string) {
	d.printf(`<text x="%s" y="%s" text-anchor="%s" style="fill:%s;font-size:%dpx">%s</text>`,
		number(x), number(y), anchor, escape(colour), TextSize, escape(text))
}

// rect draws a filled rectangle; title is shown by a browser on which a pointer rests there.
func (d *drawing) rect(x, y, width, height float64, colour, title string) {
	d.printf(`<rect x="%s" y="%s" width="%s" height="%s" style="fill:%s"><title>%s</title></rect>`,
		number(x), number(y), number(width), number(height), escape(colour), escape(title))
}

// number writes a coordinate to a tenth, which is finer than a screen shows.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 1, 64)
	if text[len(text)-2:] == ".0" {
		text = text[:len(text)-2]
	}
	if text == "-0" {
		return "0"
	}
	return text
}

func escape(text string) string { return html.EscapeString(text) }

// textWidth is how wide text is in a sans-serif font of TextSize, estimated from above: the widths
// are those of Helvetica, and a fifth more for DejaVu Sans, the widest of those that systems show.
func textWidth(text string) float64 {
	sum := 0.0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			sum += 0.56
		case r == ' ' || r == ',' || r == '.' || r == ':' || r == 'i' || r == 'l':
			sum += 0.28
		case r == '-':
			sum += 0.34
		case r == '%' || r == 'm' || r == 'M' || r == 'W' || r > 0x7f:
			sum += 0.9
		default:
			sum += 0.6
		}
	}
	return 1.2 * sum * TextSize
}
