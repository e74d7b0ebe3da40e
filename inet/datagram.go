// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"
	"net/netip"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
	"dialtone/wire"
)

// datagram is the endpoint of a UDP socket, and what raw and ping sockets have in common with it: on Linux all of them
// connect and dissolve by the same functions (ip4_datagram_connect, __udp_disconnect).
type datagram struct {
	stack  *Stack
	sock   *socket.Socket
	family sockaddr.Family
	hold   hold

	ports *datagrams // of its protocol

	lastWay *keptWay // that was asked for last; nil: none
	groups  []membership
	egress  *egress
	pending *corked // nil: none

	local  netip.AddrPort
	remote netip.AddrPort // of an associated socket; invalid: none
	chosen bool           // the local address was chosen by connect
	// portless: what has a port here is no port: a raw socket's protocol, a ping socket's identifier.
	portless bool
	// source4 is what goes to IPv4 addresses comes from, since it connected to one, where that can't be the local address: an
	// IPv6 one, a group, or a broadcast address. Invalid: whatever fits.
	source4 netip.Addr

	queue  fifo[received]
	bytes  int    // in queue
	drops  uint32 // how many found no room there
	shut   shutdown
	errors errorQueue
	opts   ipOptions
}

// received is a datagram that waits to be read.
type received struct {
	from    netip.AddrPort
	scope   uint32
	sender  uint32 // SIDs: of the socket it is from, and its own
	message uint32
	ttl     uint8 // or hop limit, as it came
	tos     uint8 // or traffic class
	payload []byte
	buffer  *wire.Buffer // held
	notes   *notes       // nil: when it came the socket asked for nothing
}

func (s *Stack) newDatagram(sock *socket.Socket) *datagram {
	d := &datagram{stack: s, sock: sock, family: sock.Family, ports: s.udp(wire.Protocol(sock.Protocol))}
	d.local = netip.AddrPortFrom(wildcard(d.family), 0)
	d.hold.sock = sock
	d.hold.v6only = s.Sysctl.IPv6BindV6Only
	return d
}

// Bind implements [socket.Endpoint].
func (d *datagram) Bind(call *socket.Call, b []byte) errno.Errno {
	a, _, e := d.stack.parseBind(d.family, b, d.hold.v6only)
	if e != errno.OK {
		return e
	}
	if e := d.stack.mayBind(call, a, d.sock, &d.opts, d.hold.port != 0); e != errno.OK {
		return e
	}
	if call.Caller != nil {
		d.hold.uid = call.Caller.UID
	}
	before := d.local
	d.local = netip.AddrPortFrom(a.IP, 0)
	if e := d.bindPort(a.Port, errno.EADDRINUSE); e != errno.OK {
		d.local = before
		return e
	}
	d.hold.address = !a.IP.IsUnspecified()
	d.hold.number = a.Port != 0
	return errno.OK
}

// bindPort takes a port for the local address; 0 is any that is free, and none the error if there is none.
func (d *datagram) bindPort(port uint16, none errno.Errno) errno.Errno {
	s := d.stack
	d.hold.addr = d.local.Addr()
	if port == 0 {
		var ok bool
		first, last := d.opts.portRange(&s.Sysctl)
		if d.portless {
			first, last = 1, math.MaxUint16 // ping_get_port
		}
		port, ok = search(first, last, s.draw(true), 0, func(p uint16) bool {
			return d.ports.unused(p) && !s.Sysctl.reserves(p)
		})
		if !ok {
			return none
		}
	} else if !d.ports.free(&d.hold, port, true) {
		return errno.EADDRINUSE
	}
	d.ports.add(d, port)
	d.local = netip.AddrPortFrom(d.local.Addr(), port)
	return errno.OK
}

// bindAny takes an implicit port if there is none yet (inet_autobind).
func (d *datagram) bindAny() errno.Errno {
	if d.hold.port != 0 {
		return errno.OK
	}
	return d.bindPort(0, d.stack.core.Personality.UDP.NoPort)
}

// Connect implements [socket.Endpoint]: it names the peer, or dissolves the association with AF_UNSPEC. On Linux the
// implicit port comes first, so that it is taken even if the rest fails (inet_dgram_connect).
func (d *datagram) Connect(call *socket.Call, b []byte) errno.Errno {
	if len(b) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	facts := &d.stack.core.Personality.UDP
	unspec := facts.UnspecDissolves && sockaddr.FamilyOf(b) == sockaddr.Unspec
	if unspec || facts.DissolvesFirst && d.remote.IsValid() {
		d.dissolve()
	}
	if unspec {
		return errno.OK
	}
	if e := d.stack.mayConnect(d.family); e != errno.OK {
		return e
	}
	if !facts.BindsLast {
		if e := d.bindAny(); e != errno.OK {
			return e
		}
	}
	a, e := d.address(b, errno.EAFNOSUPPORT)
	if e != errno.OK {
		return e
	}
	if a.Port == 0 && facts.PortZero != errno.OK && !d.portless {
		return facts.PortZero
	}
	if needsScope(a.IP) {
		if e := d.stack.connectScope(d.sock, a.Scope); e != errno.OK {
			return e
		}
	}
	return d.associate(call, a)
}

// needsScope reports whether an address means nothing without the link it is on (RFC 4007).
func needsScope(ip netip.Addr) bool {
	return ip.Is6() && (ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsInterfaceLocalMulticast())
}

// address reads a destination. An AF_INET6 socket also takes an AF_INET address, for its mapped form; refused is the error
// where it has nothing to do with IPv4.
func (d *datagram) address(b []byte, refused errno.Errno) (sockaddr.Addr, errno.Errno) {
	var a sockaddr.Addr
	var mapped bool
	facts := &d.stack.core.Personality.UDP
	e := errno.OK
	takesInet := facts.TakesInet && !d.portless
	switch inet := d.family == sockaddr.Inet6 && takesInet && sockaddr.FamilyOf(b) == sockaddr.Inet; {
	case inet && d.hold.onlyIPv6():
		return a, refused
	case d.portless && d.family == sockaddr.Inet6 && sockaddr.FamilyOf(b) != sockaddr.Inet6:
		return a, errno.EAFNOSUPPORT // before the length (ip6_datagram_connect_v6_only)
	case inet:
		a, _, e = d.stack.parse(sockaddr.Inet, b)
	default:
		a, mapped, e = d.stack.parse(d.family, b)
	}
	if e != errno.OK {
		return a, e
	}
	if mapped && d.hold.onlyIPv6() {
		return a, facts.MappedRefused
	}
	return a, errno.OK
}

// associate makes a the peer, if there is a way to it.
func (d *datagram) associate(call *socket.Call, a sockaddr.Addr) errno.Errno {
	s, t := d.stack, call.Trail
	facts := &s.core.Personality.UDP
	if d.chosen && !facts.KeepsSource {
		d.choose(wildcard(d.family))
	}
	a.IP = s.meant(a.IP, d.local.Addr(), d.sock.Options().Device())
	w, e := d.way(&a, false, nil, t)
	if e != errno.OK {
		return e
	}
	if w.broadcast && !d.sock.Options().Broadcast && facts.Broadcast != errno.OK {
		return facts.Broadcast
	}
	if e := d.bindAny(); e != errno.OK {
		return e
	}
	source := d.local.Addr()
	chooses := !d.hold.address && !d.chosen
	if chooses {
		source = w.source
	}
	if facts.TupleInUse != errno.OK && d.ports.connected(netip.AddrPortFrom(source, d.hold.port), a.AddrPort()) {
		return facts.TupleInUse
	}
	switch {
	case chooses:
		d.choose(source)
		d.chosen = true
	case a.IP.Is4() && s.hearsOnly(source):
		d.source4 = w.source
	}
	d.remote = a.AddrPort()
	d.sock.Label.Associate(call.Wanted)
	if t != nil {
		t.Decide(s.core.Now(), trail.State, "associated with %v; nothing was sent", d.remote)
	}
	return errno.OK
}

// choose makes ip the local address.
func (d *datagram) choose(ip netip.Addr) {
	d.local = netip.AddrPortFrom(ip, d.hold.port)
	d.hold.addr = ip
}

// Name implements [socket.Endpoint].
func (d *datagram) Name() sockaddr.Addr { return d.shown(d.local) }

// shown returns an address as the socket shows it, a link-local one with its scope.
func (d *datagram) shown(ap netip.AddrPort) sockaddr.Addr {
	a := addr(d.family, ap)
	if i := d.stack.interfaceNamed(d.sock.Options().Device()); i != nil && needsScope(a.IP) {
		a.Scope = uint32(i.Index)
	}
	return a
}

// Peer implements [socket.Endpoint].
func (d *datagram) Peer() (sockaddr.Addr, errno.Errno) {
	if !d.remote.IsValid() || d.remote.Port() == 0 {
		return sockaddr.Addr{}, errno.ENOTCONN // inet_getname shows no peer without a port
	}
	return d.shown(d.remote), errno.OK
}

// Remote implements [socket.Remote]: a peer without a port is one all the same. The zero Addr if there is none.
func (d *datagram) Remote() sockaddr.Addr {
	if !d.remote.IsValid() {
		return sockaddr.Addr{}
	}
	return d.shown(d.remote)
}

// Listen implements [socket.Endpoint]; the socket layer refuses it before.
func (d *datagram) Listen(*socket.Call, int) errno.Errno { return errno.EOPNOTSUPP }

// Accept implements [socket.Endpoint]; the socket layer refuses it before.
func (d *datagram) Accept(*socket.Call, *socket.Socket) (socket.Endpoint, errno.Errno) {
	return nil, errno.EOPNOTSUPP
}

// Close implements [socket.Endpoint].
func (d *datagram) Close(*socket.Call) {
	d.ports.remove(d)
	d.leaveGroups()
	d.empty()
}
