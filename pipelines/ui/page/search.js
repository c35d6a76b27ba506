// Why: what became of a view or an engagement.
import {h, table, time, count, words} from './dom.js'

const found = document.getElementById('found')

export function listen() {
  document.getElementById('search').addEventListener('submit', async event => {
    event.preventDefault()
    const button = event.target.querySelector('button')
    button.disabled = true
    found.replaceChildren(h('p', {class: 'soft'}, 'Reading the inputs ...'))
    try {
      const response = await fetch('/api/why?id=' + encodeURIComponent(event.target.id.value))
      show(await response.json())
    } catch {
      found.replaceChildren(h('p', {class: 'note error'}, 'The server does not answer.'))
    }
    button.disabled = false
  })
}

function show(r) {
  if (r.error) return found.replaceChildren(h('p', {class: 'note error'}, r.error, r.do && h('code', {}, r.do)))
  const place = p => `${p.source}@${p.offset}${p.index === undefined ? '' : `[${p.index}]`}`
  const most = 100 // rows; all are in `tributary why`
  const records = (r.records || []).slice(0, most), samples = (r.samples || []).slice(0, most)
  found.replaceChildren(...[
    h('p', {class: 'sentence'}, r.sentence),
    records.length > 0 && table('Records', [{name: 'role'}, {name: 'place'}, {name: 'time'}, {name: 'watermark before it'}, {name: 'became'}, {name: 'detail'}],
      records.map(one => [one.role, place(one), time(one.time), time(one.watermark), words(one.fate), one.detail || (one.duplicate_of ? 'of ' + place(one.duplicate_of) : '')])),
    samples.length > 0 && table('Samples', [{name: 'sink'}, {name: 'stage'}, {name: 'place'}, {name: 'state'}, {name: 'sample'}],
      samples.map(one => [one.topic || one.folder, one.stage || 'last', one.file ? `${one.file} ${one.index}` : `${one.partition}@${one.offset}`, one.state,
        one.sample ? h('code', {class: 'record'}, JSON.stringify(one.sample)) : 'not shown'])),
    ((r.records || []).length > most || (r.samples || []).length > most) && h('p', {class: 'soft'}, `${count(most)} rows are shown; tributary why shows all.`),
    ...(r.notes || []).map(n => h('p', {class: 'soft'}, n)),
  ].filter(Boolean))
}
