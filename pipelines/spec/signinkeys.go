package spec

import (
	"fmt"
	"maps"
	"slices"
)

// saslType is a mapping that says who a client is.
var saslType = valueType[*SASL]{
	about:  about{what: "a mapping", schema: saslSection.schema(), inner: []*section{saslSection}},
	read:   (*reader).sasl,
	absent: empty[*SASL],
	inline: func(s *SASL) string { return saslSection.inline(s) },
	text: func(s *SASL) string {
		switch {
		case s.Token.IsSet():
			return fmt.Sprintf("%s, token in %s", s.Mechanism, s.Token.text())
		case s.Credentials != nil:
			return fmt.Sprintf("%s, credentials in %s", s.Mechanism, Token{Command: s.Credentials}.text())
		case s.Mechanism == AWSMSKIAM:
			return fmt.Sprintf("%s, credentials in the environment or the files of AWS", s.Mechanism)
		}
		return fmt.Sprintf("%s as %s, password in %s", s.Mechanism, s.User.text(), s.Password.text())
	},
}

var saslSection = &section{
	name: "sasl",
	keys: []key{
		{
			name: "mechanism", example: "scram-sha-512", required: true,
			doc:   "How the client proves who it is.",
			value: at(choice(Mechanisms), func(s *SASL) *Mechanism { return &s.Mechanism }),
		},
		{
			name: "user", example: "tributary",
			doc:   "With plain and scram: the user, or where the name is found.",
			value: at(userType, func(s *SASL) *Secret { return &s.User }),
		},
		{
			name: "password", example: "{env: KAFKA_PASSWORD}",
			doc:   "With plain and scram: where the password is found.",
			value: at(secretType, func(s *SASL) *Secret { return &s.Password }),
		},
		{
			name: "token", example: "{file: /run/secrets/token}",
			doc:   "With oauthbearer: where the token is found, or what prints it.",
			value: at(tokenType, func(s *SASL) *Token { return &s.Token }),
		},
		{
			name: "extensions", example: "{logicalCluster: lkc-1}",
			doc:   "With oauthbearer: what goes with the token, as some brokers want it.",
			value: at(extensionsType, func(s *SASL) *map[string]string { return &s.Extensions }),
		},
		{
			name: "credentials", example: "{command: [get-credentials, --role, joiner]}",
			doc: "With aws_msk_iam: a command that prints credentials as a credential_process of AWS does.",
			value: at(credentialsType, func(s *SASL) *[]string { return &s.Credentials }).
				orElse("AWS_ACCESS_KEY_ID and the like, or the file ~/.aws/credentials", nil),
		},
		{
			name: "insecure", example: "true",
			doc:   "Allow a secret without tls.",
			value: at(yesType, func(s *SASL) *bool { return &s.Insecure }).or(false).unless(empty[bool]),
		},
	},
	rules: []any{
		needs([]string{"plain", "scram-sha-256", "scram-sha-512"}, []string{"user", "password"}, "token", "extensions", "credentials"),
		needs([]string{string(OAuthBearer)}, []string{"token"}, "user", "password", "credentials"),
		needs([]string{string(AWSMSKIAM)}, nil, "user", "password", "token", "extensions"),
	},
}

// needs is the schema of mechanisms that need some keys and do not take others.
func needs(mechanisms, required []string, without ...string) object {
	properties := object{}
	for _, name := range without {
		properties = append(properties, member{name, false})
	}
	then := object{{"properties", properties}}
	if required != nil {
		then = append(then, member{"required", required})
	}
	return object{
		{"if", object{{"required", []string{"mechanism"}}, {"properties", object{{"mechanism", oneOf(mechanisms...)}}}}},
		{"then", then},
	}
}

// extensionsType is names and values that go with a token.
var extensionsType = valueType[map[string]string]{
	about: about{
		what: "a mapping of names to text",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", object{{"pattern", extensionNamePattern}, {"not", object{{"const", "auth"}}}}},
			{"additionalProperties", ref("text").with(member{"pattern", extensionValuePattern})},
		},
	},
	read:   (*reader).extensions,
	absent: func(all map[string]string) bool { return len(all) == 0 },
	inline: func(all map[string]string) string {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(all)) {
			parts = append(parts, quoted(name)+": "+quoted(all[name]))
		}
		return braced(parts)
	},
}

// credentialsType is a mapping with a command, to leave room for other ways.
var credentialsType = func() valueType[[]string] {
	f := mapping[[]string](credentialsSection)
	f.absent, f.block = commandType.absent, nil
	return f
}()

var credentialsSection = &section{
	name: "credentials",
	keys: []key{{
		name: "command", example: "[get-credentials, --role, joiner]", required: true,
		doc:   "The program and its arguments.",
		value: at(commandType, func(command *[]string) *[]string { return command }),
	}},
}
