package agent

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// systemBus is where D-Bus listens on every system with systemd.
const systemBus = "/run/dbus/system_bus_socket"

// mostMessage bounds what is read of one message, in bytes.
const mostMessage = 1 << 20

// hostStops reports whether systemd is shutting this host down. Where there is
// no systemd, or it does not answer at once, nobody knows that, and it is false.
func hostStops(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	state, err := property(ctx, systemBus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SystemState")
	return err == nil && state == "stopping"
}

// property reads one property, of the type string, over D-Bus. The libraries for
// that start programs, which the daemon does not.
func property(ctx context.Context, bus, name, path, iface, key string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", bus)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, set := ctx.Deadline(); set {
		_ = conn.SetDeadline(deadline)
	}
	r := bufio.NewReader(conn)
	if err := greet(conn, r); err != nil {
		return "", err
	}
	const self = "org.freedesktop.DBus"
	if _, err := call(conn, r, message(1, self, "/org/freedesktop/DBus", self, "Hello")); err != nil {
		return "", err
	}
	body, err := call(conn, r, message(2, name, path, self+".Properties", "Get", iface, key))
	if err != nil {
		return "", err
	}
	// A variant: the length of its signature, "s", 0, padding, length, text.
	if len(body) < 8 || string(body[:3]) != "\x01s\x00" || uint64(binary.LittleEndian.Uint32(body[4:]))+8 > uint64(len(body)) {
		return "", errors.New("read property: it is no text")
	}
	return string(body[8 : 8+binary.LittleEndian.Uint32(body[4:])]), nil
}

// greet says who asks: the kernel tells the bus that it is true.
func greet(w io.Writer, r *bufio.Reader) error {
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Geteuid())))
	if _, err := fmt.Fprintf(w, "\x00AUTH EXTERNAL %s\r\n", uid); err != nil {
		return err
	}
	line, err := r.ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "OK ") {
		err = errors.New("the bus refuses: " + strings.TrimSpace(line))
	}
	if err == nil {
		_, err = io.WriteString(w, "BEGIN\r\n")
	}
	return err
}

// message makes a method call whose arguments are texts.
func message(serial uint32, to, path, iface, member string, args ...string) []byte {
	var body []byte
	for _, a := range args {
		body = text(body, a)
	}
	fields := []byte{}
	field := func(code byte, kind, value string) {
		fields = append(pad(fields, 8), code, 1, kind[0], 0)
		if kind == "g" {
			fields = append(append(append(fields, byte(len(value))), value...), 0)
			return
		}
		fields = text(fields, value)
	}
	field(1, "o", path)
	field(2, "s", iface)
	field(3, "s", member)
	field(6, "s", to)
	if len(args) > 0 {
		field(8, "g", strings.Repeat("s", len(args)))
	}
	m := []byte{'l', 1, 0, 1}
	m = binary.LittleEndian.AppendUint32(m, uint32(len(body)))
	m = binary.LittleEndian.AppendUint32(m, serial)
	m = binary.LittleEndian.AppendUint32(m, uint32(len(fields)))
	return append(pad(append(m, fields...), 8), body...)
}

// text appends a string: its length at a multiple of four, its bytes and a zero.
func text(to []byte, s string) []byte {
	to = binary.LittleEndian.AppendUint32(pad(to, 4), uint32(len(s)))
	return append(append(to, s...), 0)
}

func pad(b []byte, to int) []byte {
	for len(b)%to != 0 {
		b = append(b, 0)
	}
	return b
}

// call sends a method call and returns the body of its answer. Nothing else is
// asked meanwhile, so what is no signal is the answer.
func call(w io.Writer, r io.Reader, m []byte) ([]byte, error) {
	if _, err := w.Write(m); err != nil {
		return nil, err
	}
	for {
		head := make([]byte, 16)
		if _, err := io.ReadFull(r, head); err != nil {
			return nil, err
		}
		body, fields := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[12:])
		if head[0] != 'l' || body > mostMessage || fields > mostMessage {
			return nil, errors.New("read message: it is in no form that is known")
		}
		rest := make([]byte, (fields+7)/8*8+body)
		if _, err := io.ReadFull(r, rest); err != nil {
			return nil, err
		}
		switch head[1] {
		case 2:
			return rest[(fields+7)/8*8:], nil
		case 3:
			return nil, errors.New("the call is refused")
		}
	}
}
