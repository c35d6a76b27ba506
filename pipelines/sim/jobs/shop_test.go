package jobs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writeShop writes the one log of a shop, in the time of its clocks, over the night in which they are set forward.
func writeShop(t *testing.T, dir string) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	events := newRawLog(3, 24*time.Hour)
	begin := time.Date(2026, 3, 28, 12, 0, 0, 0, berlin)
	n := 0
	event := func(name, more string, at time.Time) string {
		n++
		id := fmt.Sprintf("e%06d", n)
		text := fmt.Sprintf(`{"event":"%s",%s,"event_id":"%s","time":"%s"}`, name, more, id, at.In(berlin).Format("2006-01-02 15:04:05.000"))
		events.add(at, text)
		return id
	}
	for range 6000 {
		at := begin.Add(time.Duration(events.random.IntN(36*3600*1000)) * time.Millisecond)
		page := fmt.Sprintf(`{"type":"product","sku":"sku-%d"}`, events.random.IntN(200))
		if events.chance(200) {
			page = pick(events, `{"type":"search"}`, `null`, `{"type":"product","sku":null}`)
		}
		visitor := fmt.Sprintf(`"v%d"`, events.random.IntN(900))
		if events.chance(20) {
			visitor = pick(events, "null", "17")
		}
		view := event("page_view", `"visitor":`+visitor+`,"page":`+page, at)
		named := `"` + view + `"`
		switch {
		case events.chance(10):
			named = "null"
		case events.chance(10):
			named = `"e-before"` // of a time before the log
		}
		for events.chance(250) {
			at = events.after(at, 25*time.Minute)
			event("add_to_cart", `"page_view":`+named+`,"quantity":1`, at)
		}
		for events.chance(150) {
			amount := fmt.Sprintf("%d.%02d", events.random.IntN(300), events.random.IntN(100))
			switch {
			case events.chance(30):
				amount = pick(events, "null", `"1.299,00"`, `""`)
			case events.chance(100):
				amount = "-" + amount // given back
			case events.chance(500):
				amount = `"` + amount + `"`
			}
			bought := events.after(at, 6*time.Hour)
			if events.chance(10) {
				bought = at.Add(-time.Duration(events.random.IntN(90)) * time.Second) // by another clock
			}
			event("purchase", `"page_view":`+named+`,"amount":`+amount+`,"currency":"EUR"`, bought)
		}
	}
	events.write(t, dir+"/events", 5)
}
