package dynamodb_test

import (
	"context"
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

// table makes the table, as an operator does.
func table(t *testing.T, addr string) {
	t.Helper()
	url, name := "http://"+addr, "berth"
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

func open(t *testing.T, addr string) store.Store {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	s, err := dynamodb.Open("dynamodb://berth?region=local&endpoint=http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opens opens a store of the test's own. The first time for a place the table
// is new. It is not AWS's table that is restarted then, but who uses it: a start
// of the server takes longer here than the TTL of these tests leaves.
func opens(server *storeserver.Server, addr string) func(*testing.T, string) store.Store {
	seen := map[string]bool{}
	return func(t *testing.T, place string) store.Store {
		t.Helper()
		if !seen[place] {
			server.Empty()
			table(t, server.Addr())
		}
		seen[place] = true
		return open(t, addr)
	}
}

// proves P1, P2 and I5 on a table whose server is killed.
func TestContract(t *testing.T) {
	server := storeserver.DynamoDB(t)
	storetest.Run(t, storetest.Engine{Open: opens(server, server.Addr()), TTL: ttl, Late: late})
}

// proves P1 and P2 while network and server fail.
func TestFaults(t *testing.T) {
	storetest.RunRemote(t, func(t *testing.T) storetest.Remote {
		server := storeserver.DynamoDB(t)
		table(t, server.Addr())
		network := tcpproxy.New(t, server.Addr())
		at := func(addr string) func(*testing.T) store.Store {
			return func(t *testing.T) store.Store { return open(t, addr) }
		}
		through := at(network.Addr())
		return storetest.Remote{
			Engine:  storetest.Engine{Open: func(t *testing.T, _ string) store.Store { return through(t) }, TTL: ttl, Late: late},
			Network: network, Near: at(server.Addr()), Kill: server.Kill, Start: server.Start,
			Empty: func() { server.Empty(); table(t, server.Addr()) },
		}
	})
}
