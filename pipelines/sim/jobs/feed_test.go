package jobs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// writeFeed writes what the servers of a feed and the apps of its users log: requests with the items that they showed, and what became
// of items.
func writeFeed(t *testing.T, dir string) {
	t.Helper()
	impressions, actions := newRawLog(1, 30*time.Minute), newRawLog(2, 30*time.Minute)
	begin := time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)
	for n := range 2500 {
		at := begin.Add(time.Duration(impressions.random.IntN(10*3600*1000)) * time.Millisecond)
		if n == 1003 {
			at = at.AddDate(0, 0, 3) // a clock that is wrong
		}
		request := fmt.Sprintf("r%d", n)
		if impressions.chance(50) {
			request = fmt.Sprintf(`eu|r\\%d`, n) // of another service, in JSON
		}
		var items []string
		for range impressions.random.IntN(7) {
			item := impressions.random.IntN(40) // at times twice in a request
			id, kind, score := fmt.Sprint(item), `"post"`, fmt.Sprintf("%.3f", impressions.random.Float64())
			switch {
			case impressions.chance(10):
				id = "null"
			case impressions.chance(10):
				score = `"n/a"`
			case impressions.chance(100):
				score = pick(impressions, "null", `""`, `"0.25"`)
			case impressions.chance(100):
				kind = pick(impressions, `"ad"`, "null")
			}
			items = append(items, fmt.Sprintf(`{"id":%s,"kind":%s,"score":%s,"source":{"model":"m%d","version":2}}`, id, kind, score, n%3))
			addActions(actions, request, item, at)
		}
		list := "[" + strings.Join(items, ",") + "]"
		if len(items) == 0 {
			list = pick(impressions, "null", "[]")
		}
		user := fmt.Sprintf(`{"id":%d,"country":"DE"}`, n%300)
		if impressions.chance(30) {
			user = pick(impressions, "null", `{"id":"guest"}`, "{}")
		}
		zone := time.FixedZone("", pick(impressions, 0, 3600, -5*3600))
		for again := true; again; again = impressions.chance(60) { // the app asks once more, and is shown the same
			impressions.add(at, fmt.Sprintf(`{"user":%s,"request_id":"%s","surface":"%s","items":%s,"at":"%s"}`,
				user, request, pick(impressions, "home", "home", "search"), list, at.In(zone).Format("2006-01-02T15:04:05.000Z07:00")))
			at = at.Add(time.Duration(impressions.random.IntN(15_000)) * time.Millisecond)
		}
	}
	impressions.write(t, dir+"/impressions", 4)
	actions.write(t, dir+"/actions", 3)
}

// addActions adds what the user does with an item.
func addActions(l *rawLog, request string, item int, shown time.Time) {
	id := fmt.Sprint(item)
	if l.chance(500) {
		id = `"` + id + `"` // as one of the apps writes it
	}
	if l.chance(20) {
		request = "lost-" + request
	}
	act := func(action, more string, at time.Time) {
		l.add(at, fmt.Sprintf(`{"action":"%s","request_id":"%s","item":{"id":%s}%s,"action_id":"a%d","at_ms":%d}`, action, request, id, more, len(l.lines), at.UnixMilli()))
	}
	for l.chance(300) {
		seconds := pick(l, fmt.Sprintf("%.1f", l.random.ExpFloat64()*20), "3", "null", `"12.5"`)
		if l.chance(10) {
			seconds = `"long"`
		}
		act("dwell", `,"seconds":`+seconds, l.after(shown, 4*time.Minute))
	}
	if l.chance(150) {
		act("like", "", l.after(shown, 15*time.Minute))
	}
	if l.chance(10) {
		act("like", "", shown.Add(-time.Duration(l.random.IntN(90))*time.Second)) // the phone's clock
	}
	if l.chance(30) {
		act("share", "", l.after(shown, time.Minute))
	}
}
