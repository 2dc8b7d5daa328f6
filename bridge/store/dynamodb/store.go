package dynamodb

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// Engine is the name of this kind of store.
const Engine = "dynamodb"

// patience bounds how long an answer may take to begin.
const patience = 4 * time.Second

// containerHost is where ECS hands out a task's credentials.
const containerHost = "http://169.254.170.2"

// A Store is a table. It implements [store.Store].
type Store struct {
	client *sdk.Client
	table  string
	clock  *clock
	life   remote.Life
	view   remote.View
}

// Open reads a URL: dynamodb://table, with the parameters region (or
// AWS_REGION) and endpoint, for tests and for who reaches AWS in another way.
// It connects to nobody.
func Open(url string) (*Store, error) {
	a, err := remote.ParseAddress(url, Engine)
	if err != nil {
		return nil, fmt.Errorf("open dynamodb store: %w", err)
	}
	region, endpoint := cmp.Or(a.Take("region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), a.Take("endpoint")
	err = a.Rest()
	if err == nil && (region == "" || a.Path != "" || len(a.Hosts) != 1) {
		err = fmt.Errorf("want dynamodb://table?region=…, or AWS_REGION")
	}
	if err != nil {
		return nil, fmt.Errorf("open dynamodb store: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
	s := &Store{table: a.Hosts[0], clock: &clock{next: transport}}
	options := sdk.Options{
		Region: region, Credentials: aws.NewCredentialsCache(provider()), HTTPClient: &http.Client{Transport: s.clock}, RetryMaxAttempts: 2,
	}
	if endpoint != "" {
		options.BaseEndpoint = &endpoint
	}
	s.client = sdk.New(options)
	s.view = remote.View{Source: source{s}, Life: &s.life}
	return s, nil
}

// provider is where our credentials come from.
func provider() aws.CredentialsProvider {
	if id := os.Getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticCredentialsProvider(id, os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	}
	if path := os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); path != "" {
		return endpointcreds.New(containerHost + path)
	}
	return ec2rolecreds.New()
}

// Engine implements [store.Store].
func (s *Store) Engine() string { return Engine }

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	session, err := remote.NewSession(ctx, keeper{s}, &s.life, key, ttl)
	if err != nil {
		return nil, err
	}
	return session, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	return s.view.List(ctx, cluster)
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	return s.view.Watch(ctx, cluster, from)
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.life.Close()
	s.clock.next.CloseIdleConnections()
	return nil
}
