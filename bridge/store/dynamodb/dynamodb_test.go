package dynamodb_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/dynamodb"
	"github.com/berth-dev/berth/bridge/store/storetest"
	"github.com/berth-dev/berth/test/storeserver"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// ttl leaves a loaded machine a second for a call to a server in Java.
const ttl = 8 * time.Second

// late: one look at the table may take as long as a call.
const late = 2500 * time.Millisecond

// TestMain has credentials, which the server takes whatever they are.
func TestMain(m *testing.M) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if err := os.Setenv(name, "local"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// table makes a table, as an operator does.
func table(t *testing.T, addr, name string) {
	t.Helper()
	url := "http://" + addr
	client := sdk.New(sdk.Options{Region: "local", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	pk, sk := "pk", "sk"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := client.CreateTable(ctx, &sdk.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &pk, AttributeType: "S"}, {AttributeName: &sk, AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &pk, KeyType: "HASH"}, {AttributeName: &sk, KeyType: "RANGE"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, addr, name string) store.Store {
	t.Helper()
	s, err := dynamodb.Open("dynamodb://" + name + "?region=local&endpoint=http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opens opens a store of the test's own, the first time for a place in a new
// table. It is not AWS's table that is restarted then, but who uses it: a start
// of the server takes longer here than the TTL of these tests leaves.
func opens(server *storeserver.Server) func(*testing.T, string) store.Store {
	var places sync.Map // the names of tables
	var tables atomic.Int64
	return func(t *testing.T, place string) store.Store {
		t.Helper()
		name, known := places.LoadOrStore(place, fmt.Sprint("berth-", tables.Add(1)))
		if !known {
			table(t, server.Addr(), name.(string))
		}
		return open(t, server.Addr(), name.(string))
	}
}

// proves P1, P2 and I5 on a table whose users are restarted.
func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{Open: opens(storeserver.DynamoDB(t)), TTL: ttl, Late: late, Dear: true})
}

// proves P1 and P2 while network and server fail.
func TestFaults(t *testing.T) {
	t.Parallel()
	const name = "berth"
	storetest.RunRemote(t, func(t *testing.T) storetest.Remote {
		server := storeserver.DynamoDB(t)
		table(t, server.Addr(), name)
		network := tcpproxy.New(t, server.Addr())
		at := func(addr string) func(*testing.T) store.Store {
			return func(t *testing.T) store.Store { return open(t, addr, name) }
		}
		through := at(network.Addr())
		return storetest.Remote{
			Engine:  storetest.Engine{Open: func(t *testing.T, _ string) store.Store { return through(t) }, TTL: ttl, Late: late},
			Network: network, Near: at(server.Addr()), Kill: server.Kill, Start: server.Start,
			Empty: func() { server.Empty(); table(t, server.Addr(), name) },
		}
	})
}
