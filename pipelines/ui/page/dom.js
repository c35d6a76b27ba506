// Elements, and numbers as people read them. Text is always text: nothing of a record is ever parsed as HTML.

// h makes an element: h('td', {class: 'n'}, 'text', child, ...).
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children)
}

// svg makes an element of a drawing.
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children)
}

function fill(e, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null && value !== false) e.setAttribute(key, value === true ? '' : value)
  }
  e.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false))
  return e
}

// put replaces what a section shows.
export function put(id, ...children) {
  document.querySelector(`#${id} .in`).replaceChildren(...children.flat().filter(Boolean))
}

// table makes a table in a box that scrolls; columns are {name, number}, rows lists of cells, or {cells, class}.
export function table(caption, columns, rows) {
  const cell = (of, i) => h('td', {class: columns[i].number && 'n'}, of instanceof Node ? of : String(of))
  return h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption}, h('table', {},
    h('caption', {}, caption),
    h('thead', {}, h('tr', {}, columns.map(c => h('th', {scope: 'col', class: c.number && 'n'}, c.name)))),
    h('tbody', {}, rows.map(row => h('tr', {class: row.class}, (row.cells || row).map(cell))))))
}

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0})
const three = new Intl.NumberFormat('en', {maximumSignificantDigits: 3})

export const count = n => n === null || n === undefined ? 'unknown' : whole.format(n)
export const rate = n => three.format(n)
export const share = x => x === null || x === undefined ? 'none' : three.format(100 * x) + ' %'

// span is a time in seconds, with its two largest units.
export function span(seconds) {
  if (seconds === null || seconds === undefined) return 'none'
  const s = Math.abs(seconds), sign = seconds < 0 ? '-' : ''
  if (s < 1) return sign + Math.round(1000 * s) + ' ms'
  if (s < 60) return sign + three.format(s) + ' s'
  if (s < 3600) return `${sign}${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`
  if (s < 86400) return `${sign}${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`
  return `${sign}${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`
}

// time is a time in UTC, to the second, or to the ms.
export const time = text => text ? text.replace(/(:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)$/, '$1$2$3').replace('T', ' ') : 'none'

export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  while (n >= 1000 && i < units.length - 1) n /= 1000, i++
  return three.format(n) + ' ' + units[i]
}

// words are a name of a program as words.
export const words = key => key.replaceAll('_', ' ')
