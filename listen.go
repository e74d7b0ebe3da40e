// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net"
	"os"
	"strings"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Listener is a listening socket: what [Host.Listen] returns as a [net.Listener].
type Listener struct {
	endpoint
}

// Listen listens as [net.Listen] does: network is tcp, unix or unixpacket, tcp may have 4 or 6 added. Without a host tcp
// and tcp6 listen on IPv6's wildcard, which takes IPv4 connections too (tcp). Port 0 is any that is free.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	s, err := h.bound(network, address, socket.Stream, socket.SeqPacket)
	if err != nil {
		return nil, err
	}
	if e := s.Listen(&socket.Call{}, h.core.Personality.Somaxconn); e != errno.OK {
		s.Close(&socket.Call{})
		return nil, listenError(network, nil, "listen", e)
	}
	l := &Listener{}
	l.init(s, network)
	return l, nil
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	l.read.mu.Lock()
	defer l.read.mu.Unlock()
	if l.closed.Load() {
		return nil, l.opError("accept", net.ErrClosed)
	}
	if l.expired(&l.read) {
		return nil, l.opError("accept", os.ErrDeadlineExceeded)
	}
	s, e := l.sock.Accept(&l.read.call)
	if e != errno.OK {
		return nil, l.failed("accept", "accept", e)
	}
	return newConn(s, l.network), nil
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return l.local }

// ListenPacket opens a datagram socket as [net.ListenPacket] does: network is udp or unixgram, udp may have 4 or 6 added.
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	s, err := h.bound(network, address, socket.Dgram)
	if err != nil {
		return nil, err
	}
	return newPacketConn(s, network), nil
}

// bound makes a socket of one of the types and binds it.
func (h *Host) bound(network, address string, types ...socket.Type) (*socket.Socket, error) {
	typ, ok := kind(network)
	if ok = ok && contains(types, typ); !ok {
		return nil, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	locals, err := h.resolve(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	local := locals[0]
	if !strings.HasSuffix(network, "4") && local.IP.IsValid() && local.IP.IsUnspecified() && len(locals) > 1 {
		local = locals[1] // the wildcard of both versions
	}
	call := &socket.Call{Caller: &socket.Caller{Caps: socket.AllCaps}}
	s, e := h.core.NewSocket(call, local.Family, typ, 0)
	if e != errno.OK {
		return nil, listenError(network, netAddr(network, local), "socket", e)
	}
	if local.Family != sockaddr.Unix {
		// Package net does so: to be able to start again at once.
		s.SetOption(call, socket.SolSocket, socket.SoReuseAddr, socket.Bool(typ == socket.Stream))
	}
	if network == "tcp6" || network == "udp6" {
		const solIPv6, ipv6V6Only = 41, 26
		s.SetOption(call, solIPv6, ipv6V6Only, socket.Bool(true))
	}
	if e := socket.Bind(call, h.core.Personality, s, local.Raw()); e != errno.OK {
		s.Close(call)
		return nil, listenError(network, netAddr(network, local), "bind", e)
	}
	return s, nil
}

func listenError(network string, addr net.Addr, call string, e errno.Errno) error {
	return &net.OpError{Op: "listen", Net: network, Addr: addr, Err: os.NewSyscallError(call, e.Syscall())}
}

func contains(types []socket.Type, t socket.Type) bool {
	for _, x := range types {
		if x == t {
			return true
		}
	}
	return false
}
