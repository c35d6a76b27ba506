package stream

import (
	"encoding/json"

	"tributary/transforms/account"
)

// sheet holds accounts as they are written: in memory they take a tenth of those taken apart, and of
// the books in a topic, one is read.
type sheet struct {
	Sheet json.RawMessage `json:"accounts,omitempty"`
	// Earlier is where releases before this one wrote them.
	Earlier json.RawMessage `json:"ledger,omitempty"`
}

// there tells whether there are accounts.
func (s *sheet) there() bool { return s.Sheet != nil || s.Earlier != nil }

// decode returns the accounts, by whatever release they were written.
func (s *sheet) decode() (*account.Sheet, error) {
	if s.Sheet == nil {
		return account.Decode(s.Earlier)
	}
	return account.Decode(s.Sheet)
}
