package identity_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/identity"
)

func TestAnEnvironmentFileIsReadAsSystemdDoes(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":                         {"A=b", "b"},
		"blanks around it":              {"  A  =  b c \t\n", "b c"},
		"ends of lines of Windows":      {"X=1\r\nA=b\r\n", "b"},
		"comments":                      {"#A=x\n; A=y\nA=b\n#A=z", "b"},
		"a comment goes on":             {"A=b\n# c \\\nA=x\n", "b"},
		"a hash inside is a part":       {"A=b#c", "b#c"},
		"double quotes":                 {`A="b c "`, "b c "},
		"single quotes":                 {`A='b "c" \n'`, `b "c" \n`},
		"quoted pieces":                 {`A='b' "c" d`, "bcd"},
		"escapes in double quotes":      {`A="\"\\\$\x"`, `"\$\x`},
		"an escape outside quotes":      {`A=b\ \c`, "b c"},
		"a quoted end of line":          {"A=\"b\nc\"", "b\nc"},
		"a continued line":              {"A=b\\\nc", "bc"},
		"a continued line of Windows":   {"A=b\\\r\nc", "bc"},
		"an open quote":                 {`A="b`, "b"},
		"a backslash at the end":        {`A=b\`, "b"},
		"JSON":                          {`A={"https://r/": {"auth":"x=="}}`, `{"https://r/": {"auth":"x=="}}`},
		"quoted JSON":                   {`A='{"a":"b"}'`, `{"a":"b"}`},
		"the last one counts":           {"A=a\nA=b", "b"},
		"a line that is no assignment":  {"nonsense\nA=b", "b"},
		"an equals sign in the value":   {"A=b=c", "b=c"},
		"export is not part of the key": {"export A=x\nA=b", "b"},
		"not UTF-8":                     {"A=b\nA=\xff", "b"},
		"empty":                         {"A=", ""},
		"none":                          {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := identity.ParseEnvironment(tt.text, "A")["A"]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOnlyWantedValuesAreKept(t *testing.T) {
	got := identity.ParseEnvironment("A=1\nB=2\nC=3\n", "A", "C", "D")
	if diff := cmp.Diff(map[string]string{"A": "1", "C": "3"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add("ECS_CLUSTER=prod\r\n# c\\\nA='x' \"y\\\"\" z\\ \n", "a b")
	f.Add("A=\\", "\"'\\$`")
	f.Fuzz(func(t *testing.T, text, value string) {
		for key, v := range identity.ParseEnvironment(text, "A") {
			if key != "A" || !utf8.ValidString(v) {
				t.Errorf("got %q = %q", key, v)
			}
		}
		if !utf8.ValidString(value) || strings.ContainsAny(value, "\x00") {
			return
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(value)
		if got := identity.ParseEnvironment("A=\""+quoted+"\"\nB=c", "A")["A"]; got != value {
			t.Errorf("quoted as %q: got %q, want %q", quoted, got, value)
		}
	})
}
