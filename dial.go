// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// Dial connects to an address, as [net.Dial] does: network is tcp, udp, unix, unixgram or unixpacket, tcp and udp may
// have 4 or 6 added. Names are those of the network. It waits as long as the host's system would.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

type trailKey struct{}

// WithTrail returns a context with which [Host.DialContext] says in t why its connect ended as it did.
func WithTrail(ctx context.Context, t *trail.Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// DialContext is [Host.Dial] that ends when ctx does. If a name has several addresses they are tried in turn, and the
// first error is returned if all fail.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	remotes, err := h.resolve(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for _, r := range remotes {
		c, err := h.dialOne(ctx, network, r)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func (h *Host) dialOne(ctx context.Context, network string, to sockaddr.Addr) (net.Conn, error) {
	typ, _ := kind(network)
	fail := func(err error) error {
		return &net.OpError{Op: "dial", Net: network, Addr: netAddr(network, to), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, fail(ended(err))
	}
	call := &socket.Call{Caller: &socket.Caller{Caps: socket.AllCaps}}
	s, e := h.core.NewSocket(call, to.Family, typ, 0)
	if e != errno.OK {
		return nil, fail(os.NewSyscallError("socket", e.Syscall()))
	}
	call.Trail, _ = ctx.Value(trailKey{}).(*trail.Trail)
	stop := context.AfterFunc(ctx, func() { call.Cancel(h.core) })
	e = s.Connect(call, to.Append(nil))
	if !stop() && e == errno.ECANCELED {
		s.Close(&socket.Call{})
		return nil, fail(ended(ctx.Err()))
	}
	if e != errno.OK {
		s.Close(&socket.Call{})
		return nil, fail(os.NewSyscallError("connect", e.Syscall()))
	}
	if typ == socket.Dgram {
		return newPacketConn(s, network), nil
	}
	return newConn(s, network), nil
}

func newConn(s *socket.Socket, network string) *Conn {
	c := &Conn{}
	c.init(s, network)
	return c
}

// timeoutError is what package net makes of a context's deadline.
type timeoutError struct{}

func (timeoutError) Error() string        { return "i/o timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// canceledError is what package net makes of a canceled context.
type canceledError struct{}

func (canceledError) Error() string        { return "operation was canceled" }
func (canceledError) Is(target error) bool { return target == context.Canceled }

// ended turns a context's error into package net's.
func ended(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return timeoutError{}
	case errors.Is(err, context.Canceled):
		return canceledError{}
	}
	return err
}

// kind returns the type of sockets that a network's name stands for.
func kind(network string) (socket.Type, bool) {
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
		return socket.Stream, true
	case "udp", "udp4", "udp6", "unixgram":
		return socket.Dgram, true
	case "unixpacket":
		return socket.SeqPacket, true
	}
	return 0, false
}

// resolve returns the socket addresses that an address of package net stands for, IPv4 before IPv6. An empty host is
// this host itself.
func (h *Host) resolve(network, address string) ([]sockaddr.Addr, error) {
	if _, ok := kind(network); !ok {
		return nil, net.UnknownNetworkError(network)
	}
	if strings.HasPrefix(network, "unix") {
		if address == "" {
			return nil, &net.AddrError{Err: "missing address", Addr: address}
		}
		if address[0] == '@' {
			address = "\x00" + address[1:]
		}
		return []sockaddr.Addr{sockaddr.OfUnix(address)}, nil
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := portNumber(network, service)
	if err != nil {
		return nil, err
	}
	ips, err := h.network.resolve(name)
	if err != nil {
		return nil, err
	}
	var all []sockaddr.Addr
	for _, want4 := range []bool{true, false} {
		if strings.HasSuffix(network, "4") && !want4 || strings.HasSuffix(network, "6") && want4 {
			continue
		}
		for _, ip := range ips {
			if ip.Is4() == want4 {
				all = append(all, h.address(ip, port))
			}
		}
	}
	if len(all) == 0 {
		return nil, &net.AddrError{Err: "no suitable address", Addr: name}
	}
	return all, nil
}

// address returns a socket address; a zone becomes the index of the interface it names.
func (h *Host) address(ip netip.Addr, port uint16) sockaddr.Addr {
	a := sockaddr.Of(netip.AddrPortFrom(ip, port))
	for _, i := range h.stack.Interfaces() {
		if ip.Zone() != "" && (ip.Zone() == i.Name || ip.Zone() == strconv.Itoa(i.Index)) {
			a.Scope = uint32(i.Index)
		}
	}
	return a
}

// resolve returns the addresses of a name, or of an address in writing.
func (n *Network) resolve(name string) ([]netip.Addr, error) {
	switch name {
	case "":
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, nil
	case "localhost":
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ips := n.Addresses(name)
	if len(ips) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return ips, nil
}

// portNumber reads a port: a number, or one of the services that package net knows without a file.
func portNumber(network, service string) (uint16, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	if service == "" {
		return 0, nil
	}
	n, err := net.LookupPort(network, service)
	return uint16(n), err
}
