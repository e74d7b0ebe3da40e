// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"bytes"

	"dialtone/errno"
	"dialtone/mac"
	"dialtone/sockaddr"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

// System call 185, "security", is reserved in the kernel's table and was never
// there; Flask's calls for Linux had it for all of theirs (2000 to 2002):
//
//	security(SELINUX_MAGIC, call, unsigned long *args)
//
// The block has the plain call's arguments first, in their order, and the SIDs
// last. include/flask_socket.h gives each call its name. On a host without
// access control, and on any real kernel, all of it is ENOSYS.

// securityMagic is SELINUX_MAGIC.
const securityMagic = 0xF97CFF8C

// The numbers of the calls; there were 52.
const (
	secSIDToContext = 5
	secContextToSID = 6
	secSocket       = 41
	secAccept       = 42
	secConnect      = 43
	secListen       = 44
	secGetpeername  = 45
	secGetsockname  = 46
	secRecvfrom     = 47
	secRecvmsg      = 48
	secSendmsg      = 49
	secSendto       = 50
	lastSecurity    = 52
)

// securityCalls are those that are served: how long the block is, in words, how
// many of them are the plain call's, and which call that is.
var securityCalls = map[uint32]struct{ words, plain, nr int }{
	secSIDToContext: {3, 3, -1},
	secContextToSID: {3, 3, -1},
	secSocket:       {4, 3, unix.SYS_SOCKET},
	secAccept:       {4, 3, unix.SYS_ACCEPT},
	secConnect:      {4, 3, unix.SYS_CONNECT},
	secListen:       {4, 2, unix.SYS_LISTEN},
	secGetpeername:  {4, 3, unix.SYS_GETPEERNAME},
	secGetsockname:  {4, 3, unix.SYS_GETSOCKNAME},
	secRecvfrom:     {8, 6, unix.SYS_RECVFROM},
	secRecvmsg:      {5, 3, unix.SYS_RECVMSG},
	secSendmsg:      {5, 3, unix.SYS_SENDMSG},
	secSendto:       {8, 6, unix.SYS_SENDTO},
}

// secure is what a call of the family has beside the plain one's arguments.
type secure struct {
	sids [2]uint32 // given
	out  [2]uint64 // where the SIDs go that are asked for
}

// security turns a call of the family into the plain one, with c.secure. It
// reports whether the call is to be served as that; else it is answered.
func (s *Supervisor) security(c *call) bool {
	number, at := uint32(c.args[1]), c.args[2]
	form, served := securityCalls[number]
	m := c.target.access()
	if secure := c.target.program.Secure; m == nil && secure != nil && secure() == nil {
		m = c.target.access()
	}
	switch {
	case uint32(c.args[0]) != securityMagic, m == nil:
		c.fail(unix.ENOSYS)
		return false
	case number == 0 || number > lastSecurity:
		c.fail(unix.EINVAL)
		return false
	case !served:
		c.fail(unix.ENOSYS)
		return false
	}
	var block [8 * 8]byte
	if e := c.read(at, block[:8*form.words]); e != 0 {
		c.fail(e)
		return false
	}
	word := func(i int) uint64 { return le64(block[8*i:]) }
	clear(c.args[:])
	for i := range form.plain {
		c.args[i] = word(i)
	}
	x := &secure{}
	switch number {
	case secSIDToContext:
		c.sidToContext(m)
		return false
	case secContextToSID:
		c.contextToSID(m)
		return false
	case secAccept, secGetpeername, secGetsockname:
		if x.out[0] = word(form.plain); x.out[0] == 0 {
			c.fail(unix.EFAULT)
			return false
		}
	case secRecvfrom, secRecvmsg:
		if x.out = [2]uint64{word(form.plain), word(form.plain + 1)}; x.out[0] == 0 || x.out[1] == 0 {
			c.fail(unix.EFAULT)
			return false
		}
	default:
		for i := range form.words - form.plain {
			x.sids[i] = uint32(word(form.plain + i))
		}
	}
	c.nr, c.secure = form.nr, x
	if c.nr == unix.SYS_SOCKET {
		if e := c.servedSocket(); e != 0 {
			c.fail(e)
			return false
		}
	}
	return true
}

// servedSocket returns the errno of a socket_secure for a family that is not
// served; for AF_UNIX see unixsocket.go.
func (c *call) servedSocket() unix.Errno {
	switch sockaddr.Family(c.args[0]) {
	case sockaddr.Inet, sockaddr.Inet6, sockaddr.Unix:
		return 0
	}
	return unix.EAFNOSUPPORT
}

// access returns the access control of the target's host; nil if there is none.
func (t *Target) access() *mac.Module {
	core := t.program.Stack.Core()
	core.Lock()
	defer core.Unlock()
	m, _ := core.Access.(*mac.Module)
	return m
}

// sidToContext serves security_sid_to_context(sid, buffer, u32 *length): the
// length counts the NUL, and is told even where the buffer is too short.
func (c *call) sidToContext(m *mac.Module) {
	var b [4]byte
	if e := c.read(c.args[2], b[:]); e != 0 {
		c.fail(e)
		return
	}
	context, le := m.SIDToContext(c.caller, uint32(c.args[0]))
	if le != errno.OK {
		c.fail(unix.Errno(le))
		return
	}
	text := append([]byte(context), 0)
	e := c.writeUint(c.args[2], uint64(len(text)), 4)
	switch {
	case e != 0:
	case len(text) > int(le32(b[:])):
		e = unix.ENOSPC
	default:
		e = c.write(c.args[1], text)
	}
	c.answer(e)
}

// contextMax is the longest context that a program may ask about, in bytes.
const contextMax = 8192

// contextToSID serves security_context_to_sid(context, length, sid *): the
// length may count the NUL.
func (c *call) contextToSID(m *mac.Module) {
	if c.args[1] == 0 || uint32(c.args[1]) > contextMax {
		c.fail(unix.ENAMETOOLONG)
		return
	}
	b := make([]byte, uint32(c.args[1]))
	if e := c.read(c.args[0], b); e != 0 {
		c.fail(e)
		return
	}
	sid, le := m.ContextToSID(c.caller, string(bytes.TrimSuffix(b, []byte{0})))
	if le != errno.OK {
		c.fail(unix.Errno(le))
		return
	}
	c.answer(c.writeUint(c.args[2], uint64(sid), 4))
}

// tellSID writes the SID that a call of the family asks for; a plain call asks
// for none.
func (c *call) tellSID(sid uint32) unix.Errno {
	if c.secure == nil {
		return 0
	}
	return c.writeUint(c.secure.out[0], uint64(sid), 4)
}

// tellSIDs writes those of the socket that has sent, and of what it sent.
func (c *call) tellSIDs(sender, message uint32) unix.Errno {
	if c.secure == nil {
		return 0
	}
	if e := c.tellSID(sender); e != 0 {
		return e
	}
	return c.writeUint(c.secure.out[1], uint64(message), 4)
}

// listenLayer is listen(2), or listen_secure, in the layer.
func (c *call) listenLayer(sock *socket.Socket) errno.Errno {
	backlog := int(int32(c.args[1]))
	if c.secure == nil {
		return sock.Listen(c.layerCall(), backlog)
	}
	return sock.ListenSecure(c.layerCall(), backlog, c.secure.sids[0], c.secure.sids[1] != 0)
}

// label gives a message the SIDs of a call of the family.
func (c *call) label(m *socket.Message) {
	if c.secure != nil {
		m.Receiver, m.SID = c.secure.sids[0], c.secure.sids[1]
	}
}

// maySend asks whether a reported call may send on a stream, with the SIDs that
// it gives: T takes the bytes without asking.
func (c *call) maySend(sock *socket.Socket) errno.Errno {
	var m socket.Message
	c.label(&m)
	return sock.MaySend(c.layerCall(), &m)
}
