// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"dialtone/sockaddr"

	"golang.org/x/sys/unix"
)

// source is what a sender's name tells of a datagram.
type source struct {
	address netip.AddrPort
	aside   int // the number of its control messages
}

// senders are sockets whose names are sources. The name stays with a datagram
// after the socket is closed, so they are a cache.
type senders struct {
	fds map[source]*sender
	now uint64 // counts uses
}

type sender struct {
	fd   int
	used uint64
}

const maxSenders = 256

// senderMark stands between the prefix and the address in a sender's name,
// asideMark between the address and the number of its control messages.
const (
	senderMark = "a."
	asideMark  = "/"
)

func (ss *senders) get(prefix string, from source) (int, unix.Errno) {
	ss.now++
	if s := ss.fds[from]; s != nil {
		s.used = ss.now
		return s.fd, 0
	}
	if len(ss.fds) >= maxSenders {
		ss.evict()
	}
	fd, e := nativeSocket(unix.SOCK_DGRAM | unix.SOCK_NONBLOCK)
	if e != 0 {
		return -1, e
	}
	if e := bindNative(fd, fmt.Sprint(prefix, senderMark, from.address, asideMark, from.aside)); e != 0 {
		unix.Close(fd)
		return -1, e
	}
	ss.fds[from] = &sender{fd: fd, used: ss.now}
	return fd, 0
}

// evict closes the sender that was used longest ago.
func (ss *senders) evict() {
	var oldest source
	least := ^uint64(0)
	for a, s := range ss.fds {
		if s.used < least {
			oldest, least = a, s.used
		}
	}
	unix.Close(ss.fds[oldest].fd)
	delete(ss.fds, oldest)
}

func (ss *senders) close() {
	for _, s := range ss.fds {
		unix.Close(s.fd)
	}
	clear(ss.fds)
}

// sourceOf reads the source address, and the number of its control messages, out
// of a sender's name. Without one the datagram came from the socket's peer.
func (h *hosted) sourceOf(from unix.Sockaddr) (a sockaddr.Addr, aside int) {
	_, text, ok := strings.Cut(abstractName(from), h.sup.prefix+senderMark)
	if ok {
		address, number, _ := strings.Cut(text, asideMark)
		if ap, err := netip.ParseAddrPort(address); err == nil {
			a = sockaddr.Of(ap)
		}
		if n, err := strconv.Atoi(number); err == nil {
			aside = n
		}
	} else {
		_, a, _ = h.sock.Ends()
	}
	if h.sock.Family == sockaddr.Inet6 && a.IP.Is4() {
		a.Family, a.IP = sockaddr.Inet6, netip.AddrFrom16(a.IP.As16())
	}
	return a, aside
}
