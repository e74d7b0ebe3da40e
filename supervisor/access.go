// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/errno"
	"dialtone/mac"
	"dialtone/socket"
)

// Plain read, write, send and recv are not reported, so access control is
// asked about what they have moved when the bytes pass us: on behalf of the
// process that last made a reported call on the socket. Under access control
// no connection is direct. See docs/decisions/0010-*.md.

// ownCall is a call that we make on nobody's behalf.
func ownCall() *socket.Call { return &socket.Call{Caller: mac.System, NonBlocking: true} }

// dataCall is a call that moves what a target reads or writes natively.
func (h *hosted) dataCall() *socket.Call { return &socket.Call{Caller: h.caller, NonBlocking: true} }

// receive takes what has come for the target, if it may have it: the policy is
// asked once there is something, as by a read.
func (h *hosted) receive(m *socket.Message) (int, errno.Errno) {
	n, e := h.sock.Recv(ownCall(), m)
	if e == errno.OK && (n > 0 || h.sock.Type != socket.Stream && m.Size >= 0) {
		e = h.sock.May(h.dataCall(), socket.OpReceive)
	}
	return n, e
}

// controlled reports whether the socket's host has access control.
func (h *hosted) controlled() bool { return controlled(h.sock.Core) }

func controlled(core *socket.Core) bool {
	core.Lock()
	defer core.Unlock()
	return core.Access != nil
}
