// The connection: each picture that the server sends is drawn, at most once a frame, and the page says how old the last one is.
import {span} from './dom.js'
import * as sections from './sections.js'
import {records} from './records.js'
import {listen} from './search.js'

const age = document.getElementById('age')
let came = 0, every = 5, lost = false, next = null

function say() {
  const old = (Date.now() - came) / 1000
  const state = lost ? 'lost' : came && old > 4 * every ? 'old' : 'live'
  const text = !came ? (lost ? 'no connection; trying again' : 'reading the topics') : lost ? `no connection; this is ${span(old)} old` : state === 'old' ? `nothing new for ${span(old)}` : 'live'
  if (age.textContent !== text) age.textContent = text
  age.className = state
}

function draw() {
  const state = next
  next = null
  for (const section of ['head', 'notes', 'partitions', 'flow', 'accounts', 'kinds', 'stages', 'topics', 'job']) sections[section](state)
  document.body.dataset.drawn = state.at
  records()
}

const about = await fetch('/api/spec').then(r => r.json())
every = about.every_seconds
sections.know(about)
document.getElementById('stream').textContent = about.stream
document.title = `${about.stream} · tributary`
document.getElementById('foot').textContent = `${about.version ? `tributary ${about.version}; ` : ''}times are UTC; the topics are read every ${span(every)} while somebody looks` +
  (about.masked ? '; what records hold is not shown' : '')

const source = new EventSource('/api/events')
source.addEventListener('state', event => {
  const waits = next !== null
  next = JSON.parse(event.data)
  came = Date.now()
  lost = false
  say()
  if (!waits) requestAnimationFrame(draw)
})
source.onerror = () => { lost = true; say() }
setInterval(say, 1000)
say()
listen()
