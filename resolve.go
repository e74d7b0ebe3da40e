// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"dialtone/sockaddr"
	"dialtone/socket"
)

// target is one address to connect or bind to.
type target struct {
	addr  sockaddr.Addr
	asked net.Addr // what was asked for, where addr does not say it: in errors
}

// shown returns t as errors have it.
func (h *Host) shown(network string, t target) net.Addr {
	if t.asked != nil {
		return t.asked
	}
	return h.netAddr(network, t.addr)
}

var errMissingAddress = errors.New("missing address")

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

// resolve appends to all what an address of package net stands for, in the order of preference. An empty host is this
// host itself. It waits only where a name is not answered, until ctx is done or the deadline.
func (h *Host) resolve(ctx context.Context, all []target, network, address string, deadline time.Duration) ([]target, error) {
	if _, ok := kind(network); !ok {
		return nil, net.UnknownNetworkError(network)
	}
	if strings.HasPrefix(network, "unix") {
		t := target{addr: ofUnix(address)}
		if address == "" || address[0] == 0 { // which netAddr spells otherwise
			t.asked = &net.UnixAddr{Name: address, Net: network}
		}
		return append(all, t), nil
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := portNumber(network, service)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return append(all, h.anyAddress(network, port)), nil
	}
	var room [4]netip.Addr
	ips, written := written(room[:0], name)
	if !written {
		if err := h.network.faultedLookUp(ctx, name, deadline); err != nil {
			return nil, err
		}
		if ips, err = h.network.known(ips, name); err != nil {
			return nil, err
		}
	}
	if len(ips) == 1 && ips[0] == netip.IPv6Unspecified() {
		ips = append(ips, netip.IPv4Unspecified()) // as package net does (internetAddrList in ipsock.go)
	}
	ips = slices.DeleteFunc(ips, func(ip netip.Addr) bool {
		return strings.HasSuffix(network, "4") && !ip.Is4() || strings.HasSuffix(network, "6") && ip.Is4()
	})
	if len(ips) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: name}
	}
	if !written {
		ips = h.ordered(ips)
	}
	for _, ip := range ips {
		at := netip.AddrPortFrom(ip, port)
		t := target{addr: h.address(at)}
		if ip.Zone() != "" && t.addr.Scope == 0 { // of no interface: errors name it all the same
			t.asked = tcpAddr(at)
			if strings.HasPrefix(network, "udp") {
				t.asked = udpAddr(at)
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// anyAddress is what an address without a host stands for.
func (h *Host) anyAddress(network string, port uint16) target {
	ip := netip.IPv4Unspecified()
	if strings.HasSuffix(network, "6") {
		ip = netip.IPv6Unspecified()
	}
	asked := net.Addr(&net.TCPAddr{Port: int(port)})
	if strings.HasPrefix(network, "udp") {
		asked = &net.UDPAddr{Port: int(port)}
	}
	return target{h.address(netip.AddrPortFrom(ip, port)), asked}
}

// written appends name to ips if it is an address in writing.
func written(ips []netip.Addr, name string) (all []netip.Addr, ok bool) {
	if isDigit := name[0] >= '0' && name[0] <= '9'; isDigit || strings.Contains(name, ":") {
		if ip, err := netip.ParseAddr(name); err == nil {
			return append(ips, ip.Unmap()), true
		}
	}
	return ips, false
}

// known appends the addresses of a name to ips.
func (n *Network) known(ips []netip.Addr, name string) ([]netip.Addr, error) {
	if ips = n.lookUp(ips, name); len(ips) > 0 {
		return ips, nil
	}
	return nil, notFound(name)
}

// notFound is package net's error for a name that the name server says does not exist.
func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// lookUp appends the addresses of a name; localhost is known where nobody has given it another meaning (RFC 6761, 6.3).
func (n *Network) lookUp(ips []netip.Addr, name string) []netip.Addr {
	ips = n.appendAddresses(ips, name)
	if len(ips) == 0 && key(name) == "localhost" {
		ips = append(ips, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	}
	return ips
}

// portNumber reads a port: a number, or one of the services that package net knows without a file.
func portNumber(network, service string) (uint16, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	n, err := net.LookupPort(network, service)
	return uint16(n), err
}
