// What is shown of a picture: a function a section. Each replaces what it showed before, so the page does not grow.
import {h, put, table, count, rate, share, span, time, bytes, words} from './dom.js'
import {delays, line, parts} from './charts.js'

// room is how many pictures rates are drawn of.
const room = 60
const past = {}

const num = name => ({name, number: true})
const col = name => ({name})

export function head(s) {
  const at = s.watermark ? `Watermark ${time(s.watermark)}, ${span(s.behind_seconds)} behind the clock.` : 'No watermark yet.'
  const by = s.holder ? ` ${s.holder.partition} holds it: ${s.holder.why}.` : s.partitions_total ? ' All partitions are idle.' : ''
  const e = document.getElementById('head')
  if (e.textContent !== at + by) e.textContent = at + by
}

// notes are what is grave, what to do about it beside it.
export function notes(s) {
  document.getElementById('notes').replaceChildren(...s.notes.filter(n => n.severity !== 'info').map(n =>
    h('p', {class: `note ${n.severity}`}, h('b', {}, n.severity), ' ', n.text, n.do && h('code', {}, n.do))))
}

let page = 0 // of all partitions; 0 for the worst alone

export function partitions(s) {
  if (page > 0) return
  const rest = s.partitions_rest
  put('partitions', partitionTable(s.partitions, s.at),
    rest && h('p', {class: 'soft'}, `and ${count(rest.partitions)} more, with a lag of ${count(rest.lag_records)} records: ` +
      Object.entries(rest.causes).map(([cause, n]) => `${n} ${words(cause)}`).join(', ') + ' '),
    rest && h('button', {type: 'button', id: 'all-partitions'}, 'Show all'))
  const all = document.getElementById('all-partitions')
  if (all) all.onclick = () => turn(1)
}

// turn shows a page of all partitions, as they were in the last picture; 0 goes back to the worst.
async function turn(to) {
  page = to
  if (page === 0) return
  const answer = await fetch(`/api/partitions?page=${page - 1}`).then(r => r.json())
  if (answer.error) return put('partitions', h('p', {class: 'note error'}, answer.error))
  const go = (label, to, off) => {
    const b = h('button', {type: 'button', disabled: off}, label)
    b.onclick = () => turn(to)
    return b
  }
  put('partitions', partitionTable(answer.partitions, answer.at),
    h('p', {class: 'soft'}, `page ${page} of ${answer.pages}, as of ${time(answer.at)} `),
    go('Before', page - 1, page <= 1), go('Next', page + 1, page >= answer.pages), go('The worst, live', 0))
}

function partitionTable(list, at) {
  return table('How far each partition is read, the worst first; those that hold the watermark are marked', [col('partition'), col('watermark'), num('behind'), num('lag'), col('state'), col('why')],
    list.map(p => ({class: p.holds ? 'holds' : '', cells: [
      `${p.cluster ? p.cluster + '/' : ''}${p.topic}/${p.partition}${p.holds ? ' *' : ''}`, time(p.watermark),
      p.watermark ? span((Date.parse(at) - Date.parse(p.watermark)) / 1000) : 'none', count(p.lag_records),
      h('span', {class: `state ${p.cause}`}, words(p.cause)), p.why]})))
}

export function flow(s) {
  const r = s.rates
  if (!r) return put('flow', h('p', {class: 'soft'}, 'Rates need two pictures.'))
  const engagements = Object.values(r.engagements || {}).reduce((a, b) => a + b, 0)
  const steps = [['arriving', r.arriving], ['read', r.reading], ['views', r.views], ['engagements', engagements], ['samples', r.samples], ['late', r.late], ['dead', r.dead]]
  const keeps = r.catches_up_seconds !== null && s.lag_records <= s.partitions_total ? 'It keeps up.'
    : r.catches_up_seconds !== null ? `It catches up in ${span(r.catches_up_seconds)}.` : r.arriving === r.reading ? 'It does not catch up.' : 'It falls behind.'
  put('flow', h('ol', {class: 'steps'}, steps.map(([name, n]) => {
    const all = past[name] = [...(past[name] || []), n].slice(-room)
    return h('li', {}, h('span', {class: 'soft'}, name), h('b', {}, rate(n) + ' /s'), all.length > 1 && line(all, room))
  })), h('p', {class: 'soft'}, `Over ${span(r.seconds)}; ${count(s.lag_records)} records are not read yet. ${keeps}`))
}

let outcomes = {views: [], engagements: []}

// know takes what does not change: the outcomes that there are.
export function know(about) { outcomes = about.outcomes }

export function accounts(s) {
  const f = s.accounts
  if (!f) return put('accounts', h('p', {class: 'soft'}, 'Accounts could not be read.'))
  const rows = [['views', f.views, outcomes.views], ...Object.entries(f.engagements).map(([kind, of]) => [kind, of.counts, outcomes.engagements])]
  put('accounts',
    h('p', {class: f.balanced ? 'good' : 'note error'}, f.balanced ? 'The accounts balance: every record read has one outcome.' : 'The accounts do not balance.',
      f.held && ' They lie behind an open transaction, and are older than they should be.'),
    table('What became of every record', [col('of'), num('read'), col('outcomes')], rows.map(([name, n, all]) => {
      const pieces = all.filter(o => n[o.key] > 0).map(o => ({name: o.label, n: n[o.key], class: o.colour}))
      return [name, count(n.read), h('div', {}, parts(pieces, n.read), h('span', {class: 'soft'}, pieces.map(p => `${p.name} ${count(p.n)}`).join(' · ') || 'none yet'))]
    })),
    table('By input', [col('input'), num('read'), num('taken'), num('late'), num('dead')],
      Object.entries(f.inputs).map(([name, of]) => [name, count(of.counts.read), count(of.taken), share(of.late_share), share(of.dead_share)])),
    refused(f))
}

function refused(f) {
  const rows = Object.entries(f.reasons || {}).flatMap(([of, reasons]) => reasons.map(r => [of, r.reason, count(r.count)]))
  return rows.length > 0 && table('Why records were refused, the most frequent reasons', [col('of'), col('reason'), num('records')], rows)
}

export function kinds(s) {
  const all = Object.entries(s.accounts ? s.accounts.engagements : {})
  put('kinds', all.map(([kind, of]) => h('figure', {}, h('figcaption', {}, h('b', {}, kind), ` ${share(of.match_rate)} of those decided found their view; ${count(of.delay ? of.delay.count : 0)} labels`),
    of.delay && of.delay.count > 0 ? delays(of.delay, of.window_seconds) : h('p', {class: 'soft'}, 'No label yet.'))))
}

export function stages(s) {
  const rows = s.stages.flatMap(stage => stage.sinks.map(sink => [stage.stage, `${sink.sink} ${sink.name}`, time(sink.complete_before), count(sink.open_buckets),
    sink.overdue_seconds === null ? 'none' : span(sink.overdue_seconds)]))
  const commits = s.stages.filter(stage => stage.commits).map(({stage, commits: c}) => [stage, count(c.groups), count(c.committed), count(c.aborted),
    c.open_seconds > 0 ? span(c.open_seconds) : 'none', span(c.last_delay_seconds)])
  put('stages', table('How far each sink has each stage', [col('stage'), col('sink'), col('complete before'), num('open buckets'), num('overdue by')], rows),
    commits.length > 0 && table('Commits', [col('stage'), num('groups'), num('committed'), num('aborted'), num('open for'), num('last, after its bucket closed')], commits))
}

export function topics(s) {
  put('topics', table('Topics, and transactions that are open in them', [col('topic'), col('role'), num('partitions'), num('hidden records'), col('open transaction')],
    s.topics.map(t => ({class: t.error || t.leaderless || t.open_transaction && t.open_transaction.hangs ? 'holds' : '', cells: [
      `${t.cluster ? t.cluster + '/' : ''}${t.topic}`, t.role, count(t.partitions), count(t.stable_gap_records),
      t.error || (t.leaderless ? `${t.leaderless} without a leader` : t.open_transaction ? `partition ${t.open_transaction.partition}: ${t.open_transaction.why}` : 'none')]}))))
}

export function job(s) {
  document.getElementById('job').hidden = !s.flink
  if (!s.flink) return
  const f = s.flink, last = f.checkpoints.last
  put('job', h('dl', {},
    [['state', f.state], ['started', time(f.started)], ['tasks running', `${f.tasks_running} of ${f.tasks}`],
      ['checkpoints', `${count(f.checkpoints.completed)} completed, ${count(f.checkpoints.failed)} failed, restored ${count(f.checkpoints.restored)} times`],
      ['last checkpoint', last ? `${time(last.taken)}, ${bytes(last.bytes)}, took ${span(last.duration_ns / 1e9)}` : 'none yet'],
      f.failure && ['last failure', `${time(f.failure.time)}: ${f.failure.cause}`]].filter(Boolean)
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))))
}
