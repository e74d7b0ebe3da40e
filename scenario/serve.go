// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"dialtone"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// service returns what begins the service that s describes on host h.
func (r *Running) service(h *dialtone.Host, s *servicePart) func(*servers) error {
	port := s.Port.or(s.Kind.v.usualPort())
	address := ":" + strconv.Itoa(int(port))
	switch s.Kind.v {
	case serviceFull:
		return func(to *servers) error {
			full, err := fillBacklog(h, port)
			if err == nil {
				to.add(full)
			}
			return err
		}
	case serviceHTTP:
		return listening(h, address, func(to *servers, l net.Listener) { to.web(l, webHandler(s.Page.or(h.Name()+"\n"))) })
	case serviceReset:
		return listening(h, address, func(to *servers, l net.Listener) { to.accept(l, reset) })
	case serviceDNS:
		return func(to *servers) error { return r.answerAt(to, h, port) }
	}
	return both(h, address, echo, func(datagram []byte) []byte { return datagram })
}

// answerAt answers names at each address of h, as named(8) does: by UDP from the very address that was asked, and so that
// another one, which the host is given later, is free.
func (r *Running) answerAt(to *servers, h *dialtone.Host, port uint16) error {
	for _, i := range h.Stack().Interfaces() {
		for _, p := range i.Prefixes() {
			at := netip.AddrPortFrom(p.Addr(), port).String()
			if err := both(h, at, r.zone.answerTCP, r.zone.answerUDP)(to); err != nil {
				return err
			}
		}
	}
	return nil
}

// listening returns what listens on an address of h, for serve.
func listening(h *dialtone.Host, address string, serve func(*servers, net.Listener)) func(*servers) error {
	return func(to *servers) error {
		l, err := h.Listen("tcp", address)
		if err == nil {
			serve(to, l)
		}
		return err
	}
}

// both returns what serves by TCP and by UDP.
func both(h *dialtone.Host, address string, handle func(net.Conn), answer func(datagram []byte) []byte) func(*servers) error {
	tcp := listening(h, address, func(to *servers, l net.Listener) { to.accept(l, handle) })
	return func(to *servers) error {
		p, err := h.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		to.receive(p, answer)
		return tcp(to)
	}
}

// fullHost is a process whose listener's backlog is full.
type fullHost struct {
	process *dialtone.Process
	open    []int
}

// Close closes the listener and what fills its backlog.
func (f *fullHost) Close() error {
	var all error
	for _, fd := range f.open {
		all = errors.Join(all, f.process.Close(fd))
	}
	return all
}

// fillBacklog listens on a port of h with the smallest backlog, never accepts, and connects to it from h itself until
// there is no more room. Room there is for backlog+1 (linux: sk_acceptq_is_full): the attempt after those stays
// unanswered.
func fillBacklog(h *dialtone.Host, port uint16) (*fullHost, error) {
	f := &fullHost{process: h.NewProcess()}
	listener, err := f.socket()
	if err != nil {
		return nil, err
	}
	everywhere := sockaddr.Of(netip.AddrPortFrom(netip.IPv6Unspecified(), port)).Raw()
	if err := f.process.Bind(listener, everywhere); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.process.Listen(listener, 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	self := sockaddr.Of(netip.AddrPortFrom(netip.IPv6Loopback(), port)).Raw()
	const attempts = 16 // more than any backlog of 0 has room for
	for range attempts {
		fd, err := f.socket()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		switch err := f.process.Connect(fd, self); {
		case errors.Is(err, syscall.EINPROGRESS):
			// The loopback answers at once, and this one it did not: there is no more room.
			f.open = f.open[:len(f.open)-1]
			return f, f.process.Close(fd)
		case err != nil:
			return nil, errors.Join(err, f.Close())
		}
	}
	return nil, errors.Join(fmt.Errorf("a backlog of 0 took %d connections", attempts), f.Close())
}

func (f *fullHost) socket() (int, error) {
	fd, err := f.process.Socket(sockaddr.Inet6, int(socket.Stream)|dialtone.SOCK_NONBLOCK, 0)
	if err == nil {
		f.open = append(f.open, fd)
	}
	return fd, err
}
