// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// This file is the association of SOCK_DGRAM.

// associate is connect(2) for SOCK_DGRAM (unix_dgram_connect).
func (e *endpoint) associate(c *socket.Call, addr []byte) errno.Errno {
	u := &e.space.core.Personality.Unix
	if len(addr) < sockaddr.LenFamily {
		return errno.EINVAL
	}
	unspec := u.UnspecDissolves && sockaddr.FamilyOf(addr) == sockaddr.Unspec
	if unspec || u.DissolvesFirst {
		e.setPeer(c, nil)
		e.sock.Label.Associate(0)
	}
	if unspec {
		return errno.OK
	}
	other, err := e.receiver(c, addr)
	if err != errno.OK {
		return err
	}
	if !other.hears(e) {
		if c.Trail != nil {
			c.Trail.Decide(e.space.core.Now(), trail.Name, "%v is connected to another socket: %s", other.Name(), u.NotPeer.Name())
		}
		return u.NotPeer
	}
	before := e.sock.Label
	e.sock.Label.Associate(c.Wanted)
	if err := e.mayReach(c, other, nil); err != errno.OK {
		e.sock.Label = before
		return err
	}
	e.setPeer(c, other)
	if c.Trail != nil {
		c.Trail.Decide(e.space.core.Now(), trail.Name, "associated with %v", other.Name())
	}
	return errno.OK
}

// receiver finds the datagram socket with the given address.
func (e *endpoint) receiver(c *socket.Call, addr []byte) (*endpoint, errno.Errno) {
	name, err := e.space.parse(c, addr)
	if err != errno.OK {
		return nil, err
	}
	if err := e.autobindForCredentials(); err != errno.OK {
		return nil, err
	}
	return e.space.find(c, e, name)
}

// hears reports whether e takes datagrams from another socket: once it is connected, from its peer alone (unix_may_send).
func (e *endpoint) hears(from *endpoint) bool {
	return e.space.core.Personality.Unix.NotPeer == errno.OK || e.peer == nil || e.peer == from
}

// full reports whether e's queue has no room for what another socket sends. Two that are connected to each other are
// bounded by SO_SNDBUF alone.
func (e *endpoint) full(from *endpoint) bool {
	return e != from && e.peer != from && e.queue.len >= e.mailbox.admits
}

// setPeer changes whom e is associated with; nil dissolves. What is in the queue came from whom e heard so far and is
// thrown away; if that was connected to e in turn, it learns of the loss (unix_dgram_disconnected).
func (e *endpoint) setPeer(c *socket.Call, other *endpoint) {
	old := e.peer
	e.mailbox.waiting.Remove()
	if old == other {
		return
	}
	e.peer = other
	if other != nil {
		other.joined(e)
	}
	if old == nil {
		return
	}
	old.left(e)
	e.wake(socket.Out)
	if e.queue.len == 0 || e.space.core.Personality.Unix.NotPeer == errno.OK {
		return
	}
	e.discard(c)
	e.mailbox.room.Wake(socket.Out)
	if !old.dead && old.peer == e {
		old.fail(errno.ECONNRESET)
	}
}

// joined and left keep the peers of a socket known, where the personality tells them of its end.
func (e *endpoint) joined(from *endpoint) {
	if e.space.core.Personality.Unix.PeerGone == errno.OK {
		return
	}
	e.mailbox.associates = append(e.mailbox.associates, from)
}

func (e *endpoint) left(from *endpoint) {
	m := e.mailbox
	if i := slices.Index(m.associates, from); i >= 0 {
		m.associates = slices.Delete(m.associates, i, i+1)
	}
}

// leave ends e's association and, where the personality says so, those with it.
func (e *endpoint) leave() {
	e.mailbox.waiting.Remove()
	if e.peer != nil {
		e.peer.left(e)
		e.peer = nil
	}
	for _, a := range e.mailbox.associates {
		a.mailbox.waiting.Remove()
		a.peer = nil
		a.fail(e.space.core.Personality.Unix.PeerGone)
	}
}
