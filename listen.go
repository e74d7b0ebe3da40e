// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Listen listens as [net.Listen] does: network is tcp, unix or unixpacket, tcp may have 4 or 6 added. Without a host, or
// on a wildcard, tcp listens for both versions of IP. Port 0 is any that is free.
//
// The path of a UNIX socket is one in [Host.Tree], where there is /tmp alone at first. Whoever listens and dials by package
// net's words is root, with no umask: a [Process] can be somebody else.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	return (&ListenConfig{Host: h}).Listen(context.Background(), network, address)
}

// ListenPacket opens a datagram socket as [net.ListenPacket] does: network is udp or unixgram, udp may have 4 or 6 added.
// On a multicast address it is bound to the wildcard, and is in no group until it joins one by an option.
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	return (&ListenConfig{Host: h}).ListenPacket(context.Background(), network, address)
}

// ListenConfig has the options of listening: the fields of [net.ListenConfig], and the host that listens.
type ListenConfig struct {
	// Host is the one whose sockets listen. It must be set.
	Host *Host

	// Control is called with each new socket before it is bound. network is tcp4, tcp6, udp4, udp6 or one of AF_UNIX; c
	// is a *[RawConn].
	Control func(network, address string, c syscall.RawConn) error

	// KeepAlive and KeepAliveConfig are for accepted connections, as those of [Dialer] are.
	KeepAlive       time.Duration
	KeepAliveConfig net.KeepAliveConfig
}

// Listen is [Host.Listen] with the configuration. Nothing here waits but for a name that is not answered, so ctx mostly
// counts only if it has ended already.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	s, at, err := lc.bound(ctx, network, address, socket.Stream, socket.SeqPacket)
	if err != nil {
		return nil, err
	}
	if e := s.Listen(&socket.Call{}, lc.Host.core.Personality.Somaxconn); e != errno.OK {
		s.Close(&socket.Call{})
		return nil, lc.Host.listenError(network, at, os.NewSyscallError("listen", e.Syscall()))
	}
	l := &Listener{keepAlive: keepAliveConfig(lc.KeepAlive, lc.KeepAliveConfig)}
	l.host, l.sock, l.network = lc.Host, s, network
	l.name()
	l.unlink.Store(at.addr.Family == sockaddr.Unix && !at.addr.IsAbstract() && at.addr.Name != "")
	return l, nil
}

// ListenPacket is [Host.ListenPacket] with the configuration, and with ctx as [ListenConfig.Listen].
func (lc *ListenConfig) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	s, _, err := lc.bound(ctx, network, address, socket.Dgram)
	if err != nil {
		return nil, err
	}
	return newPacketConn(lc.Host, s, network), nil
}

// bound makes a socket of one of the types and binds it.
func (lc *ListenConfig) bound(ctx context.Context, network, address string, types ...socket.Type) (*socket.Socket, target, error) {
	h := lc.Host
	if h == nil {
		return nil, target{}, &net.OpError{Op: "listen", Net: network, Err: errors.New("ListenConfig.Host is not set: nobody listens")}
	}
	h.network.clock.Check()
	at, err := h.listenTarget(ctx, network, address)
	if err != nil {
		return nil, at, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	typ, _ := kind(network)
	if !slices.Contains(types, typ) {
		return nil, at, h.listenError(network, at, &net.AddrError{Err: "unexpected address type", Addr: address})
	}
	if err := ctx.Err(); err != nil {
		return nil, at, h.listenError(network, at, ended(err))
	}
	call := &socket.Call{Caller: &socket.Caller{Caps: socket.AllCaps}}
	s, e := h.core.NewSocket(call, at.addr.Family, typ, 0)
	if e != errno.OK {
		return nil, at, h.listenError(network, at, os.NewSyscallError("socket", e.Syscall()))
	}
	if err := lc.bind(call, s, network, at); err != nil {
		s.Close(&socket.Call{})
		return nil, at, h.listenError(network, at, err)
	}
	return s, at, nil
}

// bind does what there is to do before bind, and binds.
func (lc *ListenConfig) bind(call *socket.Call, s *socket.Socket, network string, at target) error {
	defaultOptions(call, s, network)
	if s.Family != sockaddr.Unix && s.Type == socket.Stream {
		// Package net does so: to be able to start again at once.
		s.SetOption(call, socket.SolSocket, socket.SoReuseAddr, socket.Bool(true))
	}
	if lc.Control != nil {
		e := &endpoint{host: lc.Host, sock: s, network: network}
		if err := lc.Control(versioned(network, at.addr), lc.Host.shown(network, at).String(), e.RawConn()); err != nil {
			return err
		}
	}
	to := at.addr
	if s.Type == socket.Dgram && to.IP.IsMulticast() {
		// Package net hears a group by a wildcard that others may have, too (listenDatagram in sock_posix.go).
		s.SetOption(call, socket.SolSocket, socket.SoReuseAddr, socket.Bool(true))
		to = wildcardOf(to.Family, to.Port)
	}
	if e := socket.Bind(call, lc.Host.core.Personality, s, to.Raw()); e != errno.OK {
		return os.NewSyscallError("bind", e.Syscall())
	}
	return nil
}

// listenTarget returns the address to listen on: of a name, the first one of IPv4 if there is one; for any wildcard and
// both versions of IP, IPv6's wildcard.
func (h *Host) listenTarget(ctx context.Context, network, address string) (target, error) {
	if address == "" && !strings.HasPrefix(network, "unix") {
		address = ":0"
	}
	all, err := h.resolve(ctx, nil, network, address, never)
	if err != nil {
		return target{}, err
	}
	at := all[0]
	for _, t := range all {
		if t.addr.Family == sockaddr.Inet {
			at = t
			break
		}
	}
	if (network == "tcp" || network == "udp") && at.addr.IP.IsUnspecified() {
		at.addr = wildcard6(at.addr.Port)
	}
	return at, nil
}

func (h *Host) listenError(network string, at target, err error) error {
	return &net.OpError{Op: "listen", Net: network, Addr: h.shown(network, at), Err: err}
}

// Listener is a listening socket: what [Host.Listen] returns as a [net.Listener]. It has [net.TCPListener]'s SetDeadline and
// [net.UnixListener]'s SetUnlinkOnClose.
type Listener struct {
	endpoint
	keepAlive net.KeepAliveConfig // of accepted connections
	unlink    atomic.Bool         // Close removes the name from the host's tree
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	l.read.take(l.host)
	defer l.read.leave(l.host)
	if err := l.may(l.sock.ReadBy()); err != nil {
		return nil, l.localError("accept", err)
	}
	o := newOperation()
	s, e := l.sock.Accept(&o.call)
	o.free()
	if e != errno.OK {
		return nil, l.localError("accept", callError("accept", e))
	}
	if err := setKeepAlive(l.host, s, l.network, l.keepAlive); err != nil {
		s.Close(&socket.Call{})
		return nil, err
	}
	return newConn(l.host, s, l.network), nil
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return l.LocalAddr() }

// SetUnlinkOnClose is [net.UnixListener.SetUnlinkOnClose]: whether Close removes the socket's name, as it does at first.
func (l *Listener) SetUnlinkOnClose(unlink bool) { l.unlink.Store(unlink) }

// Close implements [net.Listener]: connections that nobody accepted are reset.
func (l *Listener) Close() error {
	if l.closed.Load() {
		return l.localError("close", net.ErrClosed)
	}
	if a, ok := l.LocalAddr().(*net.UnixAddr); ok && l.unlink.Swap(false) {
		// As in package net it is no matter if somebody has removed the name already.
		_ = l.host.tree.Remove(a.Name)
	}
	return l.endpoint.Close()
}

// SetDeadline is [net.TCPListener.SetDeadline]: the time after which Accept fails.
func (l *Listener) SetDeadline(t time.Time) error {
	if l.closed.Load() {
		return net.ErrClosed // package net has no more to say here
	}
	return l.endpoint.SetDeadline(t)
}

// File fails with [ErrNoFile].
func (l *Listener) File() (*os.File, error) { return nil, l.localError("file", ErrNoFile) }
