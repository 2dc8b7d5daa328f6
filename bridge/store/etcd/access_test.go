package etcd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
	"github.com/berth-dev/berth/test/storeserver"
)

const secret = "p@ss/word%"

// guarded is an etcd where the user berth may use the cluster prod alone.
func guarded(t *testing.T) *storeserver.Server {
	t.Helper()
	server := storeserver.Etcd(t, storeserver.Debian)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + server.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := t.Context()
	for _, step := range []func() error{
		func() error { _, err := client.UserAdd(ctx, "root", "root"); return err },
		func() error { _, err := client.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := client.RoleAdd(ctx, "agent"); return err },
		func() error {
			_, err := client.RoleGrantPermission(ctx, "agent", "berth/v1/prod/", clientv3.GetPrefixRangeEnd("berth/v1/prod/"), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := client.UserAdd(ctx, "berth", secret); return err },
		func() error { _, err := client.UserGrantRole(ctx, "berth", "agent"); return err },
		func() error { _, err := client.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil && !strings.Contains(err.Error(), "role name already exists") {
			t.Fatal(err)
		}
	}
	return server
}

// publish publishes one record of a cluster.
func publish(t *testing.T, s store.Store, cluster string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	session, err := s.Open(ctx, store.Key{Cluster: cluster, Host: "h1"}, ttl)
	if err != nil {
		return err
	}
	defer session.Close()
	r := store.Record{V: store.Version, Host: "h1", Cluster: cluster, Incarnation: "A", Seq: 1, State: store.OK}
	return session.Publish(ctx, r)
}

func file(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A store's faults are shown to people: no secret may be in one.
func TestARoleForItsClusterIsEnough(t *testing.T) {
	server := guarded(t)
	right := "?user=berth&passwordfile=" + file(t, "password", []byte(secret+"\n"))
	for url, cluster := range map[string]string{
		"etcd://" + server.Addr() + right:                        "prod",
		"etcd://berth:p@ss%2Fword%25@" + server.Addr() + "/":     "prod",
		"etcd://" + server.Addr() + right + "#other":             "",
		"etcd://" + server.Addr() + right + "&x":                 "",
		"etcd://berth:wr%25ng@" + server.Addr():                  "",
		"etcd://" + server.Addr():                                "",
		"etcd://nobody:p@ss%2Fword%25@" + server.Addr() + "/a/b": "",
	} {
		s, err := etcd.Open(url)
		if err == nil {
			t.Cleanup(func() { _ = s.Close() })
			err = publish(t, s, "prod")
			if cluster != "" && publish(t, s, "other") == nil {
				t.Errorf("%s: it could write in another cluster", url)
			}
		}
		if (err == nil) != (cluster == "prod") {
			t.Errorf("%s: got %v", url, err)
		}
		if err != nil && (strings.Contains(err.Error(), "word") && strings.Contains(err.Error(), "p@ss") || strings.Contains(err.Error(), "wr%ng")) {
			t.Errorf("%s: the error tells a secret: %v", url, err)
		}
	}
}

// certificate makes one that its own holder has signed, for both ends.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "berth"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		file(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

func TestBothEndsShowTheirCertificates(t *testing.T) {
	cert, key := certificate(t)
	server := storeserver.Etcd(t, storeserver.Current, "--cert-file="+cert, "--key-file="+key, "--trusted-ca-file="+cert, "--client-cert-auth=true")
	at := "etcds://" + server.Addr()
	if err := publish(t, open(t, at+"?cafile="+cert+"&certfile="+cert+"&keyfile="+key), "prod"); err != nil {
		t.Errorf("with all of it: %v", err)
	}
	for name, url := range map[string]string{
		"no certificate of ours": at + "?cafile=" + cert, "an authority that nobody trusts": at + "?certfile=" + cert + "&keyfile=" + key,
		"plain text": "etcd://" + server.Addr(),
	} {
		if err := publish(t, open(t, url), "prod"); err == nil {
			t.Errorf("%s: it was let in", name)
		}
	}
	for _, url := range []string{
		at + "?cafile=/nowhere", at + "?cafile=" + key, at + "?certfile=/nowhere", at + "?passwordfile=/nowhere", at + "?colour=blue",
		at + "?user=me", "etcds://", "http://" + server.Addr(), at + "?%", "etcd://%@" + server.Addr(),
	} {
		if s, err := etcd.Open(url); err == nil {
			t.Errorf("%s was opened", url)
			_ = s.Close()
		}
	}
}
