// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"dialtone/conformance"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// secure are the calls of connect_secure(2)'s family, and what shows access control at work. SIDs are a host's own
// numbers, so scripts and answers have the contexts instead.
func (t *thread) secure(c conformance.Call, number func(int) int) (conformance.Result, error) {
	p, a, fd := t.as, c.Args, number(0)
	sid := func(i int) uint32 { return uint32(number(i)) }
	if err := t.nameSIDs(a); err != nil {
		return conformance.Result{}, err
	}
	switch c.Name {
	case "avc":
		return result(t.process.host.log.take(), nil)
	case "socket_secure":
		return descriptor(p.SocketSecure(sockaddr.Family(fd), number(1), number(2), sid(3)))
	case "connect_secure":
		raw, err := t.process.host.raw(a[1].Address)
		if err != nil {
			return conformance.Result{}, err
		}
		return result("", p.ConnectSecure(fd, raw, sid(2)))
	case "listen_secure":
		return result("", p.ListenSecure(fd, number(1), sid(2), number(3) != 0))
	case "accept_secure":
		nfd, peer, sid, err := p.AcceptSecure(fd, 0)
		r, err := t.labelled(peer, sid, err)
		r.FDs = []int{nfd}
		return r, err
	case "getsockname_secure":
		return t.labelled(p.GetsocknameSecure(fd))
	case "getpeername_secure":
		return t.labelled(p.GetpeernameSecure(fd))
	case "sendto_secure", "sendmsg_secure":
		raw, err := t.process.host.raw(a[2].Address)
		if err != nil {
			return conformance.Result{}, err
		}
		n, err := p.SendtoSecure(fd, a[1].Data, number(5), raw, sid(3), sid(4))
		return result(conformance.Number(n), err)
	case "recvfrom_secure", "recvmsg_secure":
		return t.recvSecure(fd, number(1))
	case "security_context_to_sid":
		sid, err := p.SecurityContextToSID(a[0].Text)
		return result(conformance.Number(int(sid)), err)
	case "security_sid_to_context":
		return result(p.SecuritySIDToContext(sid(0)))
	case "setsockcreatecon":
		// It is a thread's own; the threads of a script's later calls begin with what the process has.
		return result("", t.process.SetSocketCreateContext(a[0].Text))
	}
	return conformance.Result{}, conformance.NotRun("there is no call %s here", c.Name)
}

// labelled is the answer of a call that returns an address and a SID.
func (t *thread) labelled(address sockaddr.Addr, sid uint32, err error) (conformance.Result, error) {
	if err != nil {
		return result("", err)
	}
	context, err := t.context(sid)
	return conformance.Result{Value: conformance.Labelled(t.process.host.text(address), context)}, err
}

func (t *thread) recvSecure(fd, flags int) (conformance.Result, error) {
	m := socket.Message{Data: make([]byte, 2048), Flags: flags}
	n, err := t.as.RecvmsgSecure(fd, &m)
	if err != nil {
		return result("", err)
	}
	sender, err := t.context(m.Sender)
	if err != nil {
		return conformance.Result{}, err
	}
	message, err := t.context(m.SID)
	received := conformance.ReceivedFrom(m.Data[:min(n, len(m.Data))], t.from(&m))
	return conformance.Result{Value: conformance.ReceivedAs(received, sender, message)}, err
}
