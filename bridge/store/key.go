package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Key names one host's record.
type Key struct{ Cluster, Host string }

// Parts of a key's text.
const (
	keyPrefix = "berth/v1/"
	hostInfix = "/h/"
	mostName  = 255 // bytes
)

// String is the key in a store whose keys are text:
// berth/v1/<cluster>/h/<host>.
func (k Key) String() string { return ClusterPrefix(k.Cluster) + k.Host }

// ClusterPrefix begins the keys of all hosts of a cluster.
func ClusterPrefix(cluster string) string { return keyPrefix + cluster + hostInfix }

// Check reports whether both names can be part of a key.
func (k Key) Check() error {
	if err := checkName(k.Cluster); err != nil {
		return fmt.Errorf("check cluster name %q: %w", k.Cluster, err)
	}
	if err := checkName(k.Host); err != nil {
		return fmt.Errorf("check host ID %q: %w", k.Host, err)
	}
	return nil
}

// ParseKey reads what [Key.String] writes.
func ParseKey(text string) (Key, error) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	cluster, host, found := strings.Cut(rest, hostInfix)
	if !ok || !found {
		return Key{}, fmt.Errorf("parse key %q: want %s<cluster>%s<host>", text, keyPrefix, hostInfix)
	}
	k := Key{Cluster: cluster, Host: host}
	if err := k.Check(); err != nil {
		return Key{}, fmt.Errorf("parse key %q: %w", text, err)
	}
	return k, nil
}

// checkName allows what cannot be mistaken for another part of a key, nor
// upset whoever prints it.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("it is empty")
	case len(name) > mostName:
		return fmt.Errorf("it is longer than %d bytes", mostName)
	case name == "." || name == "..":
		return fmt.Errorf("it would be a path")
	case !utf8.ValidString(name):
		return fmt.Errorf("it is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == ' ' || !unicode.IsPrint(r) }):
		return fmt.Errorf("it holds a slash, a blank or a control character")
	}
	return nil
}
