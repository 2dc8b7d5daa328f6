package remote

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// An Address is a store's URL, taken apart:
//
//	scheme://[user[:password]@]host:port[,host:port…][/path][?param=value…]
//
// These parameters are every engine's:
//
//	cafile, certfile, keyfile   PEM files of a TLS connection
//	user, passwordfile          who we are; the file holds the password alone
//
// A file that is named without a folder is one of those that systemd hands over
// (LoadCredential=), if it hands over any.
// The scheme is the engine's name. A connection is encrypted if an s follows it,
// or a TLS file is named.
// No error holds the user, the password or a parameter's value.
type Address struct {
	Engine         string
	Hosts          []string
	Path           string // without slashes around it
	User, Password string
	TLS            *tls.Config // nil: plain text
	Params         url.Values  // those that are the engine's own
}

// ParseAddress reads an engine's URL and the files that it names.
func ParseAddress(text, engine string) (Address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	rest, query, _ := strings.Cut(rest, "?")
	rest, path, _ := strings.Cut(rest, "/")
	if scheme != engine && scheme != engine+"s" {
		return Address{}, fmt.Errorf("the scheme of the store's URL is not %s", engine)
	}
	a := Address{Engine: engine, Path: strings.Trim(path, "/")}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		var err error
		if a.User, a.Password, err = userInfo(rest[:at]); err != nil {
			return Address{}, err
		}
		rest = rest[at+1:]
	}
	a.Hosts = strings.Split(rest, ",")
	params, err := url.ParseQuery(query)
	switch {
	case !found || rest == "":
		return Address{}, errors.New("the store's URL names no host")
	case err != nil:
		return Address{}, errors.New("the parameters of the store's URL cannot be read")
	}
	a.Params = params
	if err := cmp.Or(a.encrypt(scheme != engine), a.identify()); err != nil {
		return Address{}, err
	}
	return a, nil
}

// userInfo reads user:password.
func userInfo(text string) (user, password string, err error) {
	user, password, _ = strings.Cut(text, ":")
	user, err = url.PathUnescape(user)
	if err == nil {
		password, err = url.PathUnescape(password)
	}
	if err != nil {
		return "", "", errors.New("the user or password in the store's URL cannot be read: write % as %25")
	}
	return user, password, nil
}

// Rest returns an error if the engine has left parameters over.
func (a Address) Rest() error {
	for name := range a.Params {
		return fmt.Errorf("the store's URL has a parameter that %s does not know: %q", a.Engine, name)
	}
	return nil
}

// Take removes a parameter and returns its value.
func (a Address) Take(name string) string {
	value := a.Params.Get(name)
	a.Params.Del(name)
	return value
}

// identify reads who we are.
func (a *Address) identify() error {
	a.User = cmp.Or(a.Take("user"), a.User)
	file := handed(a.Take("passwordfile"))
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the store's password: %w", err)
	}
	a.Password = strings.TrimRight(string(text), "\r\n")
	return nil
}

// handed is where a file lies that is named without a folder.
func handed(name string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if name == "" || dir == "" || strings.Contains(name, "/") {
		return name
	}
	return filepath.Join(dir, name)
}

// encrypt makes the TLS configuration. The client's certificate is read anew
// for each connection, as it may have been renewed.
func (a *Address) encrypt(always bool) error {
	ca, cert, key := handed(a.Take("cafile")), handed(a.Take("certfile")), handed(a.Take("keyfile"))
	if ca == "" && cert == "" && !always {
		return nil
	}
	a.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("read the store's authority: %w", err)
		}
		a.TLS.RootCAs = x509.NewCertPool()
		if !a.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read the store's authority: %s holds no certificate", ca)
		}
	}
	if cert == "" {
		return nil
	}
	key = cmp.Or(key, cert)
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return fmt.Errorf("read the certificate for the store: %w", err)
	}
	a.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	return nil
}
