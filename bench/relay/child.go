package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// The roles of the processes that are this program's own.
const (
	roleSend  = "send"
	roleSink  = "sink"
	roleNaive = "naive"
	roleOurs  = "ours"
)

// Child is the main of such a process: it is told its role and its orders.
func Child(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("a child is started by this program alone")
	}
	orders := []byte(args[1])
	switch args[0] {
	case roleSend:
		var l Load
		if err := json.Unmarshal(orders, &l); err != nil {
			return err
		}
		return send(l, out)
	case roleSink:
		var o sinkOrders
		if err := json.Unmarshal(orders, &o); err != nil {
			return err
		}
		return sink(o, in, out)
	case roleNaive:
		return naive()
	case roleOurs:
		var o ourOrders
		if err := json.Unmarshal(orders, &o); err != nil {
			return err
		}
		return ours(o, in, out)
	}
	return fmt.Errorf("no such role: %s", args[0])
}

// childArgs is the command line of such a process.
func (r *Rig) childArgs(role string, orders any) ([]string, error) {
	text, err := json.Marshal(orders)
	return []string{r.self, ChildArg, role, string(text)}, err
}

// ChildArg is the first argument of this package's processes.
const ChildArg = "relay-child"

// spaceFD is the descriptor of the first container's namespace in a sender.
const spaceFD = 4

func openedSpace(n int) *os.File { return os.NewFile(uintptr(spaceFD+n), "container") }
