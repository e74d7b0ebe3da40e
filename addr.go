// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"dialtone/sockaddr"
)

// netAddr returns a in package net's words for the network.
func (h *Host) netAddr(network string, a sockaddr.Addr) net.Addr {
	switch a.Family {
	case sockaddr.Unix:
		return &net.UnixAddr{Name: unixName(a), Net: network}
	case sockaddr.Inet, sockaddr.Inet6:
		ap := a.AddrPort()
		if a.Scope != 0 {
			ap = netip.AddrPortFrom(ap.Addr().WithZone(h.zone(a.Scope)), ap.Port())
		}
		if strings.HasPrefix(network, "udp") {
			return udpAddr(ap)
		}
		return tcpAddr(ap)
	}
	return nil
}

// tcpAddr is net.TCPAddrFromAddrPort in one allocation.
func tcpAddr(ap netip.AddrPort) *net.TCPAddr {
	a := &struct {
		net.TCPAddr
		room [16]byte
	}{TCPAddr: net.TCPAddr{Port: int(ap.Port()), Zone: ap.Addr().Zone()}}
	a.IP = ipIn(&a.room, ap.Addr())
	return &a.TCPAddr
}

// udpAddr is net.UDPAddrFromAddrPort in one allocation.
func udpAddr(ap netip.AddrPort) *net.UDPAddr {
	a := &struct {
		net.UDPAddr
		room [16]byte
	}{UDPAddr: net.UDPAddr{Port: int(ap.Port()), Zone: ap.Addr().Zone()}}
	a.IP = ipIn(&a.room, ap.Addr())
	return &a.UDPAddr
}

// ipIn writes an address into room as package net has it.
func ipIn(room *[16]byte, ip netip.Addr) net.IP {
	*room = ip.As16()
	if ip.Is4() {
		return room[12:]
	}
	return room[:]
}

// unixName writes the NUL of an abstract name as @, and no name too, as package syscall does on Linux.
func unixName(a sockaddr.Addr) string {
	switch {
	case a.IsAbstract():
		return "@" + a.Name[1:]
	case a.Name == "":
		return "@"
	}
	return a.Name
}

// ofUnix reads a name in package net's words.
func ofUnix(name string) sockaddr.Addr {
	if name != "" && name[0] == '@' {
		name = "\x00" + name[1:]
	}
	return sockaddr.OfUnix(name)
}

// zone returns the name of the interface with the given index, or the index itself if there is none.
func (h *Host) zone(index uint32) string {
	for _, i := range h.stack.Interfaces() {
		if i.Index == int(index) {
			return i.Name
		}
	}
	return strconv.Itoa(int(index))
}

// address returns a socket address; a zone becomes the index of the interface it names.
func (h *Host) address(ap netip.AddrPort) sockaddr.Addr {
	zone := ap.Addr().Zone()
	a := sockaddr.Of(netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()))
	if zone == "" {
		return a
	}
	for _, i := range h.stack.Interfaces() {
		if zone == i.Name || zone == strconv.Itoa(i.Index) {
			a.Scope = uint32(i.Index)
		}
	}
	return a
}

// socketAddr reads an address of package net; ok is false if it is none of a kind that sockets here have.
func (h *Host) socketAddr(a net.Addr) (to sockaddr.Addr, ok bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		if a == nil {
			return to, false
		}
		ap = a.AddrPort()
	case *net.UDPAddr:
		if a == nil {
			return to, false
		}
		ap = a.AddrPort()
	case *net.UnixAddr:
		if a == nil {
			return to, false
		}
		return ofUnix(a.Name), true
	default:
		return to, false
	}
	if !ap.Addr().IsValid() { // package net's way to write the wildcard
		ap = netip.AddrPortFrom(netip.IPv4Unspecified(), ap.Port())
	}
	return h.address(ap), true
}

// mapped returns an IPv4 address as an IPv6 one (RFC 4291, 2.5.5.2), for a socket of that family.
func mapped(a sockaddr.Addr) sockaddr.Addr {
	a.Family, a.IP = sockaddr.Inet6, netip.AddrFrom16(a.IP.As16())
	return a
}

// wildcard6 is IPv6's wildcard for a port: with IPV6_V6ONLY off it stands for IPv4's too.
func wildcard6(port uint16) sockaddr.Addr {
	return sockaddr.Of(netip.AddrPortFrom(netip.IPv6Unspecified(), port))
}
