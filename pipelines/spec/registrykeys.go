package spec

// registryType is a mapping that describes a schema registry.
var registryType = valueType[*Registry]{
	about:  about{what: "a mapping", schema: registrySection.schema(), inner: []*section{registrySection}},
	read:   (*reader).registry,
	absent: empty[*Registry],
	inline: func(g *Registry) string { return registrySection.inline(g) },
	text: func(g *Registry) string {
		text := commas(g.URLs)
		if g.TLS != nil {
			text += ", tls: " + g.TLS.text()
		}
		switch {
		case g.Password != (Secret{}):
			text += " as " + g.User.text() + ", password in " + g.Password.text()
		case g.Token.IsSet():
			text += ", token in " + g.Token.text()
		}
		return text
	},
}

var registrySection = &section{
	name: "registry",
	keys: []key{
		{
			name: "url", example: "https://registry:8081", required: true,
			doc:   "Its address, up to before /subjects; or several, which are asked in turn.",
			value: at(orList(registryURLType, "address"), func(g *Registry) *[]string { return &g.URLs }),
		},
		{
			name: "tls", example: "{ca: ca.pem}",
			doc:   "What https trusts and shows; true trusts the system's authorities.",
			value: at(tlsType, func(g *Registry) **TLS { return &g.TLS }).orElse("true", nil),
		},
		{
			name: "user", example: "tributary",
			doc:   "The user, or where the name is found.",
			value: at(userType, func(g *Registry) *Secret { return &g.User }),
		},
		{
			name: "password", example: "{env: REGISTRY_PASSWORD}",
			doc:   "Where the password is found.",
			value: at(secretType, func(g *Registry) *Secret { return &g.Password }),
		},
		{
			name: "token", example: "{file: /run/secrets/token}",
			doc:   "Where a bearer token is found, instead of user and password.",
			value: at(tokenType, func(g *Registry) *Token { return &g.Token }),
		},
		{
			name: "insecure", example: "true",
			doc:   "Allow a password or a token over http.",
			value: at(yesType, func(g *Registry) *bool { return &g.Insecure }).or(false).unless(empty[bool]),
		},
	},
	rules: []any{
		object{{"dependentRequired", object{{"user", []string{"password"}}, {"password", []string{"user"}}}}},
		object{{"not", object{
			{"required", []string{"token"}},
			{"anyOf", []any{object{{"required", []string{"user"}}}, object{{"required", []string{"password"}}}}},
		}}},
	},
}

var registryURLType = textLike(about{what: "a URL", schema: matching(registryPattern)}, (*reader).registryURL)
