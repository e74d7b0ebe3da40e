// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"net/netip"

	"dialtone/inet"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// AF_NETLINK, as far as programs ask it which interfaces and addresses there
// are (getifaddrs(3), getaddrinfo(3), net.Interfaces): NETLINK_ROUTE's dumps
// of links and addresses, answered from the virtual host (rtnetlink(7)).

// netlinkKernel is the address of the kernel's side: struct sockaddr_nl with
// nl_pid 0.
var netlinkKernel = netlinkAddress(0)

func netlinkAddress(port uint32) []byte {
	b := binary.LittleEndian.AppendUint16(nil, unix.AF_NETLINK)
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, port)
	return binary.LittleEndian.AppendUint32(b, 0) // groups
}

// netlinkSocket serves socket(2) with AF_NETLINK.
func (s *Supervisor) netlinkSocket(c *call, flags int) {
	typ, proto := int(int32(c.args[1]))&^typeFlags, int(int32(c.args[2]))
	switch {
	case typ != unix.SOCK_RAW && typ != unix.SOCK_DGRAM:
		c.fail(unix.ESOCKTNOSUPPORT)
		return
	case proto != unix.NETLINK_ROUTE:
		c.fail(unix.EPROTONOSUPPORT)
		return
	}
	if e := s.inject(c, nil, unix.SOCK_DGRAM, flags); e != 0 {
		c.fail(e)
	}
}

// netlinkBind serves bind(2): any port is as good as another, and no group
// ever has news.
func (s *Supervisor) netlinkBind(c *call, _ *hosted) {
	raw := c.rawAddress(c.args[1], c.args[2])
	if b, ok := raw.Copy(); !ok || len(b) < len(netlinkKernel) || binary.LittleEndian.Uint16(b) != unix.AF_NETLINK {
		c.fail(unix.EINVAL)
		return
	}
	c.succeed(0)
}

// netlinkName is the socket's own address: each has its own port.
func (h *hosted) netlinkName() []byte { return netlinkAddress(h.netlinkPort()) }

func (h *hosted) netlinkPort() uint32 { return uint32(h.id) }

func netlinkOption(level, name int) ([]byte, unix.Errno) {
	if level != unix.SOL_SOCKET {
		return nil, unix.ENOPROTOOPT
	}
	switch name {
	case unix.SO_ERROR, unix.SO_PROTOCOL: // NETLINK_ROUTE is 0
		return socket.Int(0), 0
	case unix.SO_DOMAIN:
		return socket.Int(unix.AF_NETLINK), 0
	}
	return nil, unix.ENOPROTOOPT
}

// netlinkRequest answers the requests in one datagram. The supervisor is locked.
func (h *hosted) netlinkRequest(b []byte) {
	for _, answer := range h.netlinkAnswers(b) {
		// A program that never reads its answers loses them, as it would the
		// kernel's (ENOBUFS).
		_, _ = unix.SendmsgN(h.datagram.s, answer, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
}

// netlinkAnswers returns the datagrams that answer the requests in b, which may
// hold anything.
func (h *hosted) netlinkAnswers(b []byte) (answers [][]byte) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.LittleEndian.Uint32(b))
		if n < unix.SizeofNlMsghdr || n > len(b) {
			break // as the kernel: the rest is ignored
		}
		answers = append(answers, h.netlinkReplies(b[:n])...)
		b = b[min(align4(n), len(b)):]
	}
	return answers
}

// netlinkReplies returns the datagrams that answer one request.
func (h *hosted) netlinkReplies(req []byte) [][]byte {
	typ, flags := binary.LittleEndian.Uint16(req[4:]), binary.LittleEndian.Uint16(req[6:])
	m := netlinkMessages{seq: binary.LittleEndian.Uint32(req[8:]), port: h.netlinkPort()}
	family := byte(unix.AF_UNSPEC)
	if len(req) > unix.SizeofNlMsghdr {
		family = req[unix.SizeofNlMsghdr]
	}
	dump := flags&unix.NLM_F_DUMP == unix.NLM_F_DUMP
	switch {
	case typ == unix.RTM_GETLINK && dump:
		for _, i := range h.stack.Interfaces() {
			m.link(i)
		}
	case typ == unix.RTM_GETADDR && dump:
		for _, i := range h.stack.Interfaces() {
			for _, p := range i.Prefixes() {
				m.address(i, p, family)
			}
		}
	case dump && typ >= unix.RTM_BASE: // routes, neighbours, rules: not shown
	default:
		m.begin(unix.NLMSG_ERROR, 0)
		e := unix.EOPNOTSUPP
		m.b = binary.LittleEndian.AppendUint32(m.b, uint32(-int32(e)))
		m.b = append(m.b, req[:unix.SizeofNlMsghdr]...)
		m.end()
		return [][]byte{m.b}
	}
	if len(m.b) > 0 {
		done := netlinkMessages{seq: m.seq, port: m.port}
		done.done()
		return [][]byte{m.b, done.b}
	}
	m.done()
	return [][]byte{m.b}
}

// netlinkMessages builds messages, one after the other.
type netlinkMessages struct {
	b         []byte
	start     int
	seq, port uint32
}

func (m *netlinkMessages) begin(typ, flags uint16) {
	m.start = len(m.b)
	m.b = append(m.b, 0, 0, 0, 0)
	m.b = binary.LittleEndian.AppendUint16(m.b, typ)
	m.b = binary.LittleEndian.AppendUint16(m.b, flags)
	m.b = binary.LittleEndian.AppendUint32(m.b, m.seq)
	m.b = binary.LittleEndian.AppendUint32(m.b, m.port)
}

func (m *netlinkMessages) end() {
	binary.LittleEndian.PutUint32(m.b[m.start:], uint32(len(m.b)-m.start))
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
}

func (m *netlinkMessages) done() {
	m.begin(unix.NLMSG_DONE, unix.NLM_F_MULTI)
	m.b = binary.LittleEndian.AppendUint32(m.b, 0)
	m.end()
}

// attribute appends a struct rtattr.
func (m *netlinkMessages) attribute(typ uint16, value []byte) {
	m.b = binary.LittleEndian.AppendUint16(m.b, uint16(4+len(value)))
	m.b = binary.LittleEndian.AppendUint16(m.b, typ)
	m.b = append(m.b, value...)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
}

// link appends RTM_NEWLINK: struct ifinfomsg and attributes.
func (m *netlinkMessages) link(i *inet.Interface) {
	m.begin(unix.RTM_NEWLINK, unix.NLM_F_MULTI)
	hardware, address, broadcast := uint16(unix.ARPHRD_ETHER), hardwareAddress(i), []byte{255, 255, 255, 255, 255, 255}
	if i.Loopback() {
		hardware, address, broadcast = unix.ARPHRD_LOOPBACK, make([]byte, 6), make([]byte, 6)
	}
	m.b = append(m.b, unix.AF_UNSPEC, 0)
	m.b = binary.LittleEndian.AppendUint16(m.b, hardware)
	m.b = binary.LittleEndian.AppendUint32(m.b, uint32(i.Index))
	m.b = binary.LittleEndian.AppendUint32(m.b, interfaceFlags(i))
	m.b = binary.LittleEndian.AppendUint32(m.b, 0) // changed
	m.attribute(unix.IFLA_IFNAME, append([]byte(i.Name), 0))
	m.attribute(unix.IFLA_MTU, socket.Int(i.MTU()))
	m.attribute(unix.IFLA_ADDRESS, address)
	m.attribute(unix.IFLA_BROADCAST, broadcast)
	m.end()
}

// address appends RTM_NEWADDR, if the request's family is that of the address
// or any: struct ifaddrmsg and attributes.
func (m *netlinkMessages) address(i *inet.Interface, p netip.Prefix, family byte) {
	own, scope := byte(unix.AF_INET6), byte(unix.RT_SCOPE_UNIVERSE)
	if p.Addr().Is4() {
		own = unix.AF_INET
	}
	if family != unix.AF_UNSPEC && family != own {
		return
	}
	switch {
	case p.Addr().IsLoopback():
		scope = unix.RT_SCOPE_HOST
	case p.Addr().IsLinkLocalUnicast():
		scope = unix.RT_SCOPE_LINK
	}
	m.begin(unix.RTM_NEWADDR, unix.NLM_F_MULTI)
	m.b = append(m.b, own, byte(p.Bits()), unix.IFA_F_PERMANENT, scope)
	m.b = binary.LittleEndian.AppendUint32(m.b, uint32(i.Index))
	m.attribute(unix.IFA_ADDRESS, p.Addr().AsSlice())
	if own == unix.AF_INET {
		m.attribute(unix.IFA_LOCAL, p.Addr().AsSlice())
		m.attribute(unix.IFA_LABEL, append([]byte(i.Name), 0))
	}
	m.end()
}

func align4(n int) int { return (n + 3) &^ 3 }

// interfaceFlags are netdevice(7)'s IFF_.
func interfaceFlags(i *inet.Interface) uint32 {
	flags := uint32(0)
	if i.Up() {
		flags |= unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOWER_UP
	}
	if i.Loopback() {
		return flags | unix.IFF_LOOPBACK
	}
	return flags | unix.IFF_BROADCAST | unix.IFF_MULTICAST
}

// hardwareAddress makes up a locally administered address (IEEE 802, the
// second bit) for an interface: virtual links have none.
func hardwareAddress(i *inet.Interface) []byte {
	return []byte{2, 0, 0, 0, byte(i.Index >> 8), byte(i.Index)}
}
