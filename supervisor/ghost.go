// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ghosts knows which of the targets' sockets are still open, without holding a
// descriptor of any: close(2) is not reported. Each T is added to an epoll
// instance under a descriptor that is then closed; epoll keeps the entry until
// the last descriptor of the description, which is the target's, is closed,
// and lists the entries in /proc/self/fdinfo.
type ghosts struct {
	epoll int
}

func newGhosts() (ghosts, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return ghosts{fd}, err
}

// add takes note of the socket with the number id, by any descriptor of it.
// The caller closes the descriptor.
func (g ghosts) add(fd int, id uint64) unix.Errno {
	// Without events of its own an entry still reports EPOLLHUP and EPOLLERR.
	ev := unix.EpollEvent{Events: unix.EPOLLET, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	e := errnoOf(unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, fd, &ev))
	if e == unix.EEXIST {
		return 0
	}
	return e
}

// alive returns the numbers of the sockets that are open somewhere.
func (g ghosts) alive() (map[uint64]bool, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", g.epoll))
	if err != nil {
		return nil, err
	}
	ids := map[uint64]bool{}
	for line := range bytes.Lines(b) {
		// "tfd:  8 events: 80000000 data:  1f pos:0 ino:… sdev:…"
		_, rest, ok := bytes.Cut(line, []byte("data:"))
		if !ok {
			continue
		}
		f := bytes.Fields(rest)
		if len(f) == 0 {
			return nil, fmt.Errorf("fdinfo of epoll: %q", line)
		}
		id, err := strconv.ParseUint(string(f[0]), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("fdinfo of epoll: %q", line)
		}
		ids[id] = true
	}
	return ids, nil
}

func (g ghosts) close() { unix.Close(g.epoll) }
