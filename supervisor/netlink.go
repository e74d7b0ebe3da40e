// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// AF_NETLINK, as far as programs ask it what the network looks like
// (getifaddrs(3), net.Interfaces, ip-route(8)): NETLINK_ROUTE's links,
// addresses, routes and rules, answered from the virtual host (rtnetlink(7)),
// and NETLINK_SOCK_DIAG's sockets (sockdiag.go).
// There are no neighbours to tell of, since the stack keeps no table of those
// who answer; and nothing can be changed.

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
	case proto != unix.NETLINK_ROUTE && proto != unix.NETLINK_SOCK_DIAG:
		c.fail(unix.EPROTONOSUPPORT)
		return
	}
	if e := s.inject(c, nil, unix.SOCK_DGRAM, proto, flags); e != 0 {
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

func (h *hosted) netlinkOption(level, name int) ([]byte, unix.Errno) {
	if level != unix.SOL_SOCKET {
		return nil, unix.ENOPROTOOPT
	}
	switch name {
	case unix.SO_ERROR:
		return socket.Int(0), 0
	case unix.SO_PROTOCOL:
		return socket.Int(h.netlink), 0
	case unix.SO_DOMAIN:
		return socket.Int(unix.AF_NETLINK), 0
	case unix.SO_PEERCRED:
		return socket.NoPeer.Ucred(), 0
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
// hold anything. Those that nobody would have room for are left out: a request
// of 16 bytes can ask for all there is.
func (h *hosted) netlinkAnswers(b []byte) (answers [][]byte) {
	for room := maxMessage; room > 0 && len(b) >= unix.SizeofNlMsghdr; {
		n := int(binary.LittleEndian.Uint32(b))
		if n < unix.SizeofNlMsghdr || n > len(b) {
			break // as the kernel: the rest is ignored
		}
		replies := h.netlinkReplies(b[:n])
		for _, r := range replies {
			room -= len(r)
		}
		answers = append(answers, replies...)
		b = b[min(align4(n), len(b)):]
	}
	return answers
}

// netlinkReplies returns the datagrams that answer one request.
func (h *hosted) netlinkReplies(req []byte) [][]byte {
	q := netlinkQuestion{
		payload: req[unix.SizeofNlMsghdr:],
		m:       netlinkMessages{seq: binary.LittleEndian.Uint32(req[8:]), port: h.netlinkPort()},
	}
	if binary.LittleEndian.Uint16(req[6:])&unix.NLM_F_DUMP == unix.NLM_F_DUMP {
		q.m.flags = unix.NLM_F_MULTI
	}
	e := unix.EOPNOTSUPP
	switch typ := binary.LittleEndian.Uint16(req[4:]); {
	case h.netlink == unix.NETLINK_SOCK_DIAG:
		e = h.tellSockets(&q, typ)
	case typ == unix.RTM_GETLINK:
		e = h.tellLinks(&q)
	case typ == unix.RTM_GETADDR:
		e = h.tellAddresses(&q)
	case typ == unix.RTM_GETROUTE:
		e = h.tellRoutes(&q)
	case typ == unix.RTM_GETRULE:
		e = h.tellRules(&q)
	}
	switch {
	case e != 0:
		q.m.fail(e, req[:unix.SizeofNlMsghdr])
	case q.dump():
		q.m.done()
	}
	return q.m.datagrams()
}

// netlinkQuestion is a request, and the answer under construction.
type netlinkQuestion struct {
	payload []byte // the family's header and the attributes
	m       netlinkMessages
}

// dump reports whether everything there is is asked for.
func (q *netlinkQuestion) dump() bool { return q.m.flags&unix.NLM_F_MULTI != 0 }

// family is what the request is about; AF_UNSPEC is all.
func (q *netlinkQuestion) family() byte {
	if len(q.payload) == 0 {
		return unix.AF_UNSPEC
	}
	return q.payload[0]
}

// asks reports whether the request is about a family, among others perhaps.
func (q *netlinkQuestion) asks(family byte) bool {
	f := q.family()
	return f == unix.AF_UNSPEC || f == family
}

// attributes returns the attributes behind a header of the given size
// (struct rtattr); nil if the header is not whole. Of two of a type the later
// counts, as for the kernel.
func (q *netlinkQuestion) attributes(header int) map[uint16][]byte {
	if len(q.payload) < header {
		return nil
	}
	found := map[uint16][]byte{}
	for b := q.payload[min(align4(header), len(q.payload)):]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.LittleEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		found[binary.LittleEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)] = b[unix.SizeofRtAttr:n]
		b = b[min(align4(n), len(b)):]
	}
	return found
}
