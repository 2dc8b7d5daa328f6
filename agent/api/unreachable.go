package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Unreachable is a daemon that could not be asked, or that did not answer.
// Its text ends with the cure.
type Unreachable struct {
	Socket string
	Err    error // what the system said
}

// Error says what is wrong with the socket and what to do about it.
func (u *Unreachable) Error() string {
	switch {
	case errors.Is(u.Err, fs.ErrPermission):
		return fmt.Sprintf("open %s: permission denied: %s", u.Socket, entrance(u.Socket))
	case errors.Is(u.Err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from berth on %s in time: give it longer with --timeout, or read its log with: journalctl -u berth", u.Socket)
	case errors.Is(u.Err, fs.ErrNotExist), errors.Is(u.Err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nobody listens on %s: is berth running? start it with: systemctl start berth, or name another socket with --socket", u.Socket)
	default:
		return fmt.Sprintf("ask berth on %s: %v: is it still running? read its log with: journalctl -u berth", u.Socket, u.Err)
	}
}

// Unwrap returns what the system said.
func (u *Unreachable) Unwrap() error { return u.Err }

// unreachable wraps what ended a request. If the caller's own context was
// cancelled, that is not the daemon's fault and stays as it is.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	return &Unreachable{Socket: c.socket, Err: err}
}

// entrance names who may open the socket. Where the socket itself cannot be
// looked at, its folder's owner and group are the answer.
func entrance(socket string) string {
	info, err := os.Stat(socket)
	if err != nil {
		info, err = os.Stat(filepath.Dir(socket))
	}
	if err != nil {
		return "ask as root, with sudo"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "ask as root, with sudo"
	}
	owner, group := userName(stat.Uid), groupName(stat.Gid)
	if group == "root" {
		return fmt.Sprintf("it is open to user %s alone: ask as that user, or with sudo", owner)
	}
	return fmt.Sprintf("it is open to user %s and to members of group %s: join with: sudo usermod -aG %s $USER and log in again, or use sudo", owner, group, group)
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
