// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"

	"dialtone/inet"
	"dialtone/sockaddr"

	"golang.org/x/sys/unix"
)

// struct ifreq (netdevice(7)): a name of 16 bytes and a union of 24, of 16 in
// a 32-bit program; struct ifconf: a length and a pointer.
const (
	ifreqSize   = 40
	ifreqSize32 = 32
)

// ioctl serves the interface requests of netdevice(7) from the virtual host,
// on sockets of any family: the C library asks on an AF_UNIX one. What sets
// something needs privileges that a hosted program does not have.
func (s *Supervisor) ioctl(c *call, _ *hosted) {
	request, ptr := uint32(c.args[1]), c.args[2]
	stack := c.target.program.Stack
	switch request {
	case unix.SIOCGIFCONF:
		c.answer(c.interfaceList(stack, ptr))
	case unix.SIOCGIFNAME:
		c.answer(c.interfaceName(stack, ptr))
	case unix.SIOCGIFFLAGS, unix.SIOCGIFINDEX, unix.SIOCGIFMTU, unix.SIOCGIFADDR, unix.SIOCGIFNETMASK,
		unix.SIOCGIFBRDADDR, unix.SIOCGIFDSTADDR, unix.SIOCGIFHWADDR, unix.SIOCGIFMETRIC, unix.SIOCGIFTXQLEN:
		c.answer(c.interfaceFact(stack, request, ptr))
	case unix.SIOCSIFFLAGS, unix.SIOCSIFADDR, unix.SIOCSIFNETMASK, unix.SIOCSIFBRDADDR, unix.SIOCSIFDSTADDR,
		unix.SIOCSIFMTU, unix.SIOCSIFHWADDR, unix.SIOCSIFNAME, unix.SIOCSIFMETRIC:
		c.fail(unix.EPERM)
	default:
		c.fail(unix.ENOTTY)
	}
}

func (c *call) answer(e unix.Errno) {
	if e != 0 {
		c.fail(e)
		return
	}
	c.succeed(0)
}

func (c *call) ifreqSize() int {
	if c.compat {
		return ifreqSize32
	}
	return ifreqSize
}

// interfaceFact answers a request about the interface that ifr_name names.
func (c *call) interfaceFact(stack *inet.Stack, request uint32, ptr uint64) unix.Errno {
	b := make([]byte, c.ifreqSize())
	if e := c.read(ptr, b); e != 0 {
		return e
	}
	name, _, _ := bytes.Cut(b[:unix.IFNAMSIZ], []byte{0})
	i := interfaceNamed(stack, string(name))
	if i == nil {
		return unix.ENODEV
	}
	value := b[unix.IFNAMSIZ:]
	clear(value)
	switch request {
	case unix.SIOCGIFFLAGS:
		binary.LittleEndian.PutUint16(value, uint16(interfaceFlags(i))) // ifr_flags is a short
	case unix.SIOCGIFINDEX:
		binary.LittleEndian.PutUint32(value, uint32(i.Index))
	case unix.SIOCGIFMTU:
		binary.LittleEndian.PutUint32(value, uint32(i.MTU()))
	case unix.SIOCGIFMETRIC:
	case unix.SIOCGIFTXQLEN:
		binary.LittleEndian.PutUint32(value, 1000)
	case unix.SIOCGIFHWADDR:
		if i.Loopback() {
			binary.LittleEndian.PutUint16(value, unix.ARPHRD_LOOPBACK)
		} else {
			binary.LittleEndian.PutUint16(value, unix.ARPHRD_ETHER)
			copy(value[2:], hardwareAddress(i))
		}
	default:
		p, ok := firstIPv4(i)
		if !ok {
			return unix.EADDRNOTAVAIL
		}
		copy(value, sockaddr.Of(netip.AddrPortFrom(interfaceAddress(p, request), 0)).Append(nil))
	}
	return c.write(ptr, b)
}

// interfaceAddress is what the address requests ask of an address.
func interfaceAddress(p netip.Prefix, request uint32) netip.Addr {
	mask := net.CIDRMask(p.Bits(), 32)
	a := p.Addr().As4()
	switch request {
	case unix.SIOCGIFNETMASK:
		copy(a[:], mask)
	case unix.SIOCGIFBRDADDR:
		for i := range a {
			a[i] |= ^mask[i]
		}
	}
	return netip.AddrFrom4(a)
}

// interfaceList is SIOCGIFCONF: the interfaces with their IPv4 addresses.
func (c *call) interfaceList(stack *inet.Stack, ptr uint64) unix.Errno {
	var conf [16]byte
	size, pointerAt := 16, 8
	if c.compat {
		size, pointerAt = 8, 4
	}
	if e := c.read(ptr, conf[:size]); e != 0 {
		return e
	}
	room, buf := int(int32(le32(conf[:]))), le64(conf[8:])
	if c.compat {
		buf = uint64(le32(conf[pointerAt:]))
	}
	var list []byte
	for _, i := range stack.Interfaces() {
		for _, p := range i.Prefixes() {
			if !p.Addr().Is4() {
				continue
			}
			r := make([]byte, c.ifreqSize())
			copy(r[:unix.IFNAMSIZ-1], i.Name)
			copy(r[unix.IFNAMSIZ:], sockaddr.Of(netip.AddrPortFrom(p.Addr(), 0)).Append(nil))
			list = append(list, r...)
		}
	}
	if buf != 0 { // a null pointer asks how much room it takes
		whole := max(room, 0) / c.ifreqSize() * c.ifreqSize()
		list = list[:min(len(list), whole)]
		if e := c.write(buf, list); e != 0 {
			return e
		}
	}
	return c.writeUint(ptr, uint64(len(list)), 4)
}

// interfaceName is SIOCGIFNAME: from the index to the name.
func (c *call) interfaceName(stack *inet.Stack, ptr uint64) unix.Errno {
	b := make([]byte, c.ifreqSize())
	if e := c.read(ptr, b); e != 0 {
		return e
	}
	for _, i := range stack.Interfaces() {
		if i.Index == int(int32(le32(b[unix.IFNAMSIZ:]))) {
			clear(b[:unix.IFNAMSIZ])
			copy(b[:unix.IFNAMSIZ-1], i.Name)
			return c.write(ptr, b)
		}
	}
	return unix.ENODEV
}

func interfaceNamed(s *inet.Stack, name string) *inet.Interface {
	for _, i := range s.Interfaces() {
		if i.Name == name {
			return i
		}
	}
	return nil
}

func firstIPv4(i *inet.Interface) (netip.Prefix, bool) {
	for _, p := range i.Prefixes() {
		if p.Addr().Is4() {
			return p, true
		}
	}
	return netip.Prefix{}, false
}
