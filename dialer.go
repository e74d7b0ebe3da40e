// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"dialtone/sockaddr"
	"dialtone/socket"
)

// Dialer has the options of a dial: the fields of [net.Dialer], and the host that dials.
type Dialer struct {
	// Host is the one whose sockets connect. It must be set.
	Host *Host

	// Timeout is how long a dial may take, Deadline when it must have ended; 0 is for ever. Both are of the network's
	// clock. If several addresses are tried in turn, each has its share of the time.
	Timeout  time.Duration
	Deadline time.Time

	// LocalAddr is where the connection comes from: a [net.TCPAddr], [net.UDPAddr] or [net.UnixAddr], as the network
	// wants. nil: the host chooses.
	LocalAddr net.Addr

	// FallbackDelay is how long TCP waits for one address of a name before it tries the next one beside it, IPv6 and
	// IPv4 in turn (RFC 8305). 0 is 300 ms, as in package net. Less than 0: one after the other, each until it fails.
	FallbackDelay time.Duration

	// KeepAlive, if more than 0, turns TCP's keep-alive on, with that time before the first probe; then there are up to 9
	// more, one each 15 s, before the connection ends with ETIMEDOUT. KeepAliveConfig goes before it if it is enabled.
	// Unlike in package net 0 is off: an idle connection then keeps no clock running (docs/decisions, 9).
	KeepAlive       time.Duration
	KeepAliveConfig net.KeepAliveConfig

	// ControlContext, or else Control, is called with each new socket before it is bound and connects. network is tcp4,
	// tcp6, udp4, udp6 or one of AF_UNIX; c is a *[RawConn].
	Control        func(network, address string, c syscall.RawConn) error
	ControlContext func(ctx context.Context, network, address string, c syscall.RawConn) error
}

// never is the deadline of a dial that has none.
const never = time.Duration(1<<63 - 1)

// deadline returns when a dial that begins now must have ended, by the core's clock.
func (d *Dialer) deadline() time.Duration {
	if d.Timeout == 0 && d.Deadline.IsZero() {
		return never
	}
	now, at := d.Host.core.Now(), never
	if d.Timeout != 0 { // less than 0 has passed already, as in package net
		at = later(now, d.Timeout)
	}
	if !d.Deadline.IsZero() {
		at = min(at, later(now, time.Until(d.Deadline)))
	}
	return at
}

// later is now + d, at most never: deadlines of the year 9999 are in use.
func later(now, d time.Duration) time.Duration {
	if d > never-now {
		return never
	}
	return now + d
}

// targets resolves the address to dial, appending to all, which is empty, and checks that LocalAddr goes with it.
func (d *Dialer) targets(ctx context.Context, all []target, network, address string, deadline time.Duration) ([]target, error) {
	if _, ok := kind(network); ok && address == "" {
		return nil, errMissingAddress
	}
	all, err := d.Host.resolve(ctx, all, network, address, deadline)
	if err != nil || d.LocalAddr == nil {
		return all, err
	}
	local, ok := d.Host.socketAddr(d.LocalAddr)
	if !ok || d.LocalAddr.Network() != d.Host.shown(network, all[0]).Network() {
		return nil, &net.AddrError{Err: "mismatched local address type", Addr: d.LocalAddr.String()}
	}
	if local.Family == sockaddr.Unix || local.IP.IsUnspecified() {
		return all, nil
	}
	var same []target
	for _, t := range all {
		if t.addr.IP.IsUnspecified() && t.addr.Family != local.Family {
			t.addr = wildcardOf(local.Family, t.addr.Port)
		}
		if t.addr.Family == local.Family {
			same = append(same, t)
		}
	}
	if len(same) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: d.LocalAddr.String()}
	}
	return same, nil
}

// keepAlive sets the keep-alive options that the dialer asks for.
func (d *Dialer) keepAlive(a *attempt) error {
	return setKeepAlive(a.host, a.sock, a.network, keepAliveConfig(d.KeepAlive, d.KeepAliveConfig))
}

// keepAliveConfig returns what KeepAlive and KeepAliveConfig together mean.
func keepAliveConfig(idle time.Duration, config net.KeepAliveConfig) net.KeepAliveConfig {
	if !config.Enable && idle > 0 {
		return net.KeepAliveConfig{Enable: true, Idle: idle}
	}
	return config
}

// setKeepAlive applies a configuration to a TCP socket, if it is enabled.
func setKeepAlive(h *Host, s *socket.Socket, network string, config net.KeepAliveConfig) error {
	if !config.Enable || !strings.HasPrefix(network, "tcp") {
		return nil
	}
	c := &Conn{}
	c.host, c.sock, c.network = h, s, network
	return c.SetKeepAliveConfig(config)
}

// versioned returns what Control functions get for a network.
func versioned(network string, a sockaddr.Addr) string {
	switch {
	case network != "tcp" && network != "udp":
		return network
	case a.Family == sockaddr.Inet6:
		return network + "6"
	}
	return network + "4"
}

func ignoringContext(f func(string, string, syscall.RawConn) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, address string, c syscall.RawConn) error {
		return f(network, address, c)
	}
}

// defaultOptions sets what package net sets on every socket.
func defaultOptions(call *socket.Call, s *socket.Socket, network string) {
	if s.Family == sockaddr.Inet6 {
		const solIPv6, ipv6V6Only = 41, 26
		s.SetOption(&socket.Call{}, solIPv6, ipv6V6Only, socket.Bool(strings.HasSuffix(network, "6")))
	}
	if s.Family != sockaddr.Unix && s.Type == socket.Dgram {
		s.SetOption(call, socket.SolSocket, socket.SoBroadcast, enabled)
	}
	if s.Family != sockaddr.Unix && s.Type == socket.Stream {
		s.SetOption(call, solTCP, tcpNoDelay, enabled) // accepted connections inherit it
	}
}

var enabled = socket.Bool(true)

// wildcardOf is the wildcard of a family.
func wildcardOf(f sockaddr.Family, port uint16) sockaddr.Addr {
	if f == sockaddr.Inet6 {
		return wildcard6(port)
	}
	return ofWildcard4(port)
}

func ofWildcard4(port uint16) sockaddr.Addr {
	return sockaddr.Of(netip.AddrPortFrom(netip.IPv4Unspecified(), port))
}
