package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/transforms/account"
)

// resold is a count that only tests have: a row of the table of counts, and nothing else.
var resold = account.Define(account.Row{
	Key: "resold", Label: "resold", Colour: "spare",
	Views: &account.Use{Doc: "Views that were sold again", Side: account.Part, Optional: true},
	Note:  &account.Note{Code: "resold", After: "late", Title: "Resold", Form: account.Share, Of: account.Read, Advice: "Sell them once."},
})

// Text, page, notes and schema of a report follow from a row.
func TestARowIsAllThatACountNeeds(t *testing.T) {
	r := small()
	var before bytes.Buffer
	require.NoError(t, r.Text(&before, 100))
	assert.NotContains(t, before.String(), "resold")

	r.Accounts.Views.N[resold], r.Accounts.Views.N[account.Read] = 10, 20
	var text bytes.Buffer
	require.NoError(t, r.Text(&text, 100))
	assert.Contains(t, text.String(), "The accounts balance")
	assert.Regexp(t, `read +samples +sampled out +duplicates +late +dead +resold`, text.String())
	assert.Contains(t, text.String(), "Resold: 10 (50.0 %). Sell them once.")
	page := strings.Join(parse(t, r).texts, "\n")
	assert.Contains(t, page, "sampled out, outside window, resold", "the legend")
	assert.Contains(t, page, "resold: 10 (50.0 %)", "the bar")

	views := gjson.GetBytes(Schema(), "$defs.accounts.properties.views")
	assert.Equal(t, "Views that were sold again", views.Get("properties.resold.description").Str)
	assert.NotContains(t, views.Get("required").String(), "resold")
	codes := gjson.GetBytes(Schema(), "$defs.note.properties.code.enum").String()
	assert.Less(t, strings.Index(codes, `"late"`), strings.Index(codes, `"resold"`))
	validate(t, compiledSchema(t), r)
}
