// Drawings. Sizes and colours are attributes and classes: the page's content policy allows no styles in elements.
import {svg, span, count} from './dom.js'

// delays draws how long after views their first engagements came: a bar a bucket of a histogram of cumulative counts, with the end of the window
// marked.
export function delays(of, window) {
  const width = 640, height = 150, base = height - 22
  const n = of.bounds.length
  const bars = of.cumulative.map((c, i) => c - (i ? of.cumulative[i - 1] : 0))
  const most = Math.max(1, ...bars), step = width / n
  const at = seconds => {
    const i = of.bounds.findIndex(b => b >= seconds)
    if (i < 0) return width
    const from = i ? of.bounds[i - 1] : 0
    return step * (i + (seconds - from) / (of.bounds[i] - from))
  }
  const all = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Delays of ${count(of.count)} labels`, class: 'chart'})
  bars.forEach((b, i) => {
    const tall = b / most * (base - 16)
    all.append(svg('rect', {x: i * step + 1, y: base - tall, width: Math.max(1, step - 2), height: tall, class: 'kept'},
      svg('title', {}, `${span(i ? of.bounds[i - 1] : 0)} to ${span(of.bounds[i])}: ${count(b)}`)))
  })
  all.append(svg('line', {x1: 0, x2: width, y1: base, y2: base, class: 'axis'}))
  for (let i = 2; i < n; i += 4) {
    all.append(svg('text', {x: step * (i + 1), y: height - 6, 'text-anchor': i > n - 3 ? 'end' : 'middle'}, span(of.bounds[i])))
  }
  if (window > 0) {
    const x = Math.min(width - 1, at(window))
    all.append(svg('line', {x1: x, x2: x, y1: 0, y2: base, class: 'mark'}),
      svg('text', {x: x - 5, y: 11, 'text-anchor': 'end', class: 'mark'}, `window ${span(window)}`))
  }
  return all
}

// line draws the last values of a rate, as many as there is room for.
export function line(values, room) {
  const width = 160, height = 30, most = Math.max(...values, 1e-9)
  const points = values.map((v, i) => `${(width * (room - values.length + i) / (room - 1)).toFixed(1)},${(height - 2 - v / most * (height - 4)).toFixed(1)}`)
  return svg('svg', {viewBox: `0 0 ${width} ${height}`, class: 'line', 'aria-hidden': 'true'}, svg('polyline', {points: points.join(' ')}))
}

// parts draws what became of a whole as pieces of one bar.
export function parts(pieces, whole) {
  const all = svg('svg', {viewBox: '0 0 1000 14', preserveAspectRatio: 'none', class: 'parts', role: 'img', 'aria-label': pieces.map(p => `${p.name} ${count(p.n)}`).join(', ')})
  let x = 0
  for (const p of pieces) {
    const wide = whole > 0 ? 1000 * p.n / whole : 0
    all.append(svg('rect', {x, y: 0, width: wide, height: 14, class: p.class}, svg('title', {}, `${p.name}: ${count(p.n)}`)))
    x += wide
  }
  return all
}
