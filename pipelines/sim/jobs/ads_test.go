package jobs

import (
	"fmt"
	"testing"
	"time"
)

// writeAds writes what an ad server shows, and what its users do, which names the user and the campaign and not what was shown.
func writeAds(t *testing.T, dir string) {
	t.Helper()
	impressions, actions := newRawLog(5, 24*time.Hour), newRawLog(6, 24*time.Hour)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	act := func(action, user string, campaign int, more string, at time.Time) {
		actions.add(at, fmt.Sprintf(`{"action":"%s","user":%s,"campaign":"c%d"%s,"id":"a%d","ts":%d}`, action, user, campaign, more, len(actions.lines), at.UnixMilli()))
	}
	for n := range 6000 {
		at := begin.Add(time.Duration(impressions.random.IntN(40*3600*1000)) * time.Millisecond)
		user, campaign := fmt.Sprintf(`"u|%d"`, impressions.random.IntN(150)), impressions.random.IntN(6)
		if impressions.chance(20) {
			user = pick(impressions, "null", "17")
		}
		impressions.add(at, fmt.Sprintf(`{"imp":"i%d","user":{"id":%s},"ad":{"campaign":"c%d","creative":"%d"},"ts":%d}`, n, user, campaign, n%11, at.UnixMilli()))
		for impressions.chance(200) {
			at = impressions.after(at, 5*time.Minute)
			act("click", user, campaign, "", at)
		}
		if impressions.chance(150) {
			amount := fmt.Sprintf(`"%d.%02d"`, impressions.random.IntN(300), impressions.random.IntN(100))
			if impressions.chance(60) {
				amount = pick(impressions, "null", `"1,5"`, `""`)
			}
			bought := impressions.after(at, 8*time.Hour)
			if impressions.chance(20) {
				bought = at.Add(-time.Duration(impressions.random.IntN(90)) * time.Second) // by another clock
			}
			act("purchase", user, campaign, `,"amount":`+amount, bought)
		}
		if impressions.chance(20) {
			act("click", `"nobody"`, campaign, "", at)
		}
	}
	impressions.write(t, dir+"/impressions", 4)
	actions.write(t, dir+"/actions", 3)
}
