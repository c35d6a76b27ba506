package spec

// creditType is a word, or a mapping where only views count that have had another engagement.
var creditType = valueType[CreditRule]{
	about: about{
		what: "a word or a mapping", words: texts(Credits), inner: []*section{creditSection},
		schema: object{{"anyOf", []any{oneOf(texts(Credits)...), creditSection.schema()}}},
	},
	read: func(r *reader, n *node, at dotted, above *fields) (c CreditRule) {
		if n.kind == mapKind {
			creditSection.read(r, n, at, above, &c)
			return c
		}
		c.Credit = Credit(r.choice(n, at, append(texts(Credits), "{after: KIND}")))
		return c
	},
	absent: empty[CreditRule],
	inline: func(c CreditRule) string {
		if c.After == "" {
			return string(c.Credit)
		}
		return creditSection.inline(&c)
	},
	text: func(c CreditRule) string {
		text := string(c.Credit)
		if c.After != "" {
			text += " after " + c.After
		}
		if c.Otherwise == OtherwiseAny {
			text += ", or else any"
		}
		return text
	},
}

var creditSection = &section{
	name: "credit",
	keys: []key{
		{
			name: "after", example: "click", required: true,
			doc:   "A kind of engagement. Only a view counts that has one of it in its window, no later than this one.",
			value: at(textType, func(c *CreditRule) *string { return &c.After }),
		},
		{
			name: "to", example: "first",
			doc:   "Which of these views.",
			value: at(choice([]Credit{CreditLast, CreditFirst}), func(c *CreditRule) *Credit { return &c.Credit }).or(CreditLast),
		},
		{
			name: "otherwise", example: "any",
			doc:   "Where no view has one: the engagement counts for none, and is outside the window; or for the last or the first of all views, as if after were not there (any).",
			value: at(choice(Otherwises), func(c *CreditRule) *Otherwise { return &c.Otherwise }).or(OtherwiseNone),
		},
	},
}
