package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "etcdserver:", err)
		os.Exit(1)
	}
}

// run serves until the server ends, or this process is ended.
func run() error {
	c := embed.NewConfig()
	c.LogLevel = "warn"
	flag.StringVar(&c.Dir, "data-dir", "", "folder of the data")
	clients := flag.String("listen-client-urls", "", "URL for clients")
	peers := flag.String("listen-peer-urls", "", "URL for peers")
	flag.StringVar(&c.ClientTLSInfo.CertFile, "cert-file", "", "certificate")
	flag.StringVar(&c.ClientTLSInfo.KeyFile, "key-file", "", "key of the certificate")
	flag.StringVar(&c.ClientTLSInfo.TrustedCAFile, "trusted-ca-file", "", "authority of the clients' certificates")
	flag.BoolVar(&c.ClientTLSInfo.ClientCertAuth, "client-cert-auth", false, "clients must have a certificate")
	flag.Parse()
	client, err := url.Parse(*clients)
	if err != nil {
		return err
	}
	peer, err := url.Parse(*peers)
	if err != nil {
		return err
	}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	server, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	return <-server.Err()
}
