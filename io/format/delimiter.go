package format

// Delimiter is what stands between the cells of a table, by the name that specs have for it. Empty is Comma.
type Delimiter string

// Those that tables are read with.
const (
	Comma     Delimiter = "comma"
	Semicolon Delimiter = "semicolon"
	Tab       Delimiter = "tab"
	Bar       Delimiter = "bar"
)

// Delimiters are all of them.
func Delimiters() []Delimiter { return []Delimiter{Comma, Semicolon, Tab, Bar} }

// Byte is the character.
func (d Delimiter) Byte() byte {
	switch d {
	case Semicolon:
		return ';'
	case Tab:
		return '\t'
	case Bar:
		return '|'
	default:
		return ','
	}
}
