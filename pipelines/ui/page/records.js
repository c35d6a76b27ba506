// The newest records that the stream has written: of each kind some, all kinds together, the newest first.
import {h, put, table, time} from './dom.js'

const most = 40
let asking = false

// records asks for them, and shows them unless somebody reads one.
export async function records() {
  const box = document.querySelector('#records .in')
  if (asking || box.querySelector('details[open]')) return
  asking = true
  try {
    const answer = await fetch('/api/records').then(r => r.json())
    if (!box.querySelector('details[open]')) show(answer)
  } catch {
    // the page says that there is no connection
  }
  asking = false
}

function show({records, failed}) {
  const all = Object.values(records).flat().sort((a, b) => a.written_at < b.written_at ? 1 : a.written_at > b.written_at ? -1 : 0).slice(0, most)
  put('records', failed && h('p', {class: 'note error'}, failed),
    all.length === 0 && !failed && h('p', {class: 'soft'}, 'Samples are shown from when somebody looks, some in a second; late records, dead letters and orphans are those of the last hour.'),
    all.length > 0 && table('Samples as they come, some in a second; what was refused in the last hour', [{name: 'what'}, {name: 'written'}, {name: 'place'}, {name: 'id'}, {name: 'record'}], all.map(row)))
}

function row(e) {
  const said = e.reason ? [e.reason, e.role, e.detail].filter(Boolean).join(': ') : e.positive === undefined ? e.note || '' : e.positive ? 'positive' : 'negative'
  const held = e.sample || e.record || e.changed || e.record_base64
  const stage = e.stage ? `${e.stage}, version ${e.version || 0}` : ''
  const text = [said, stage, e.note !== said && e.note].filter(Boolean).join('; ')
  return [h('span', {class: `what ${e.what}`}, e.what), time(e.written_at), e.place, e.view_id || '',
    held ? h('details', {}, h('summary', {}, text || 'record'), h('code', {class: 'record'}, JSON.stringify(held, null, 1))) : text]
}
