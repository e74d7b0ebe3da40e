// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Bind implements [socket.Endpoint]. An address of the family alone asks for an autobind.
func (e *endpoint) Bind(c *socket.Call, addr []byte) errno.Errno {
	sp := e.space
	if len(addr) == sockaddr.LenFamily && sockaddr.FamilyOf(addr) == sockaddr.Unix && sp.core.Personality.Unix.Abstract {
		if e.named() {
			return errno.OK
		}
		return sp.autobind(e)
	}
	name, err := sp.parse(c, addr)
	if err != errno.OK {
		return err
	}
	if name[0] == 0 {
		return e.bindAbstract(string(name))
	}
	return e.bindPath(c, string(name))
}

func (e *endpoint) bindAbstract(name string) errno.Errno {
	key := abstractName{e.typ, name}
	switch {
	case e.named():
		return errno.EINVAL
	case e.space.abstract[key] != nil:
		return errno.EADDRINUSE
	}
	e.take(key)
	return errno.OK
}

// take gives e an abstract name that is free.
func (e *endpoint) take(key abstractName) {
	e.space.abstract[key] = e
	e.name, e.inAbstract = key.name, true
}

// bindPath makes the socket file. That the socket has a name already is noticed only then, as on Linux, so the errors of
// the path come before EINVAL (unix_bind_bsd).
func (e *endpoint) bindPath(c *socket.Call, path string) errno.Errno {
	sp := e.space
	sp.tree.mu.Lock()
	defer sp.tree.mu.Unlock()
	w := walker{tree: sp.tree, caller: c.Caller, links: sp.core.Personality.Unix.Symlinks}
	p, err := w.vacant(path, false)
	switch {
	case err == errno.EEXIST:
		return errno.EADDRINUSE
	case err != errno.OK:
		return err
	case e.named():
		return errno.EINVAL
	}
	perm := fs.ModePerm
	if c.Caller != nil {
		perm &^= fs.FileMode(c.Caller.Umask)
	}
	e.inode = w.createAt(p, fs.ModeSocket|perm)
	e.inode.socket = e
	e.name = path
	return errno.OK
}

// unbind gives the name free, as close does. A socket file stays, and nobody is bound to it.
func (e *endpoint) unbind() {
	if e.inode != nil {
		e.inode.socket = nil
		e.inode = nil
	}
	if e.inAbstract {
		delete(e.space.abstract, abstractName{e.typ, e.name})
		e.inAbstract = false
	}
}
