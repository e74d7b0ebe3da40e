// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// parse checks an address's length and family, and returns the name in it, as in [sockaddr.Addr], still in addr's memory:
// looking it up needs no copy (unix_validate_addr). A name of length 0, which is none, is EINVAL; bind takes care of it
// before.
func (sp *Space) parse(c *socket.Call, addr []byte) (name []byte, e errno.Errno) {
	u := &sp.core.Personality.Unix
	if len(addr) <= sockaddr.LenFamily || len(addr) > sockaddr.LenFamily+u.PathMax {
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "an address of %d bytes: EINVAL", len(addr))
		}
		return nil, errno.EINVAL
	}
	family, name := sockaddr.FamilyOf(addr), sockaddr.UnixName(addr)
	switch {
	case family != sockaddr.Unix && !(family == sockaddr.Unspec && u.UnspecIsUnix):
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "an address of %v: %s", family, u.WrongFamily.Name())
		}
		return nil, u.WrongFamily
	case name[0] == 0 && !u.Abstract:
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "the path is empty: ENOENT")
		}
		return nil, errno.ENOENT
	}
	return name, errno.OK
}

// find returns who is bound to a name, of the type that from is of, in the order of Linux's unix_find_other: the path,
// write permission on the file, somebody bound to it, its type.
func (sp *Space) find(c *socket.Call, from *endpoint, name []byte) (*endpoint, errno.Errno) {
	if name[0] == 0 {
		other := sp.abstract[abstractName{from.typ, string(name)}]
		if c.Trail != nil {
			sp.tellAbstract(c, from, name, other)
		}
		if other == nil {
			return nil, errno.ECONNREFUSED
		}
		return other, errno.OK
	}
	sp.tree.mu.Lock()
	defer sp.tree.mu.Unlock()
	n, e := sp.findFile(c, from.typ, string(name))
	if e != errno.OK {
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "%s: %s: %s", name, whyNot(n, e), e.Name())
		}
		return nil, e
	}
	if c.Trail != nil {
		c.Trail.Add(sp.core.Now(), trail.Name, "%s: a socket of type %v", name, n.socket.typ)
	}
	return n.socket, errno.OK
}

// findFile returns the file that a path leads to; with OK, a socket of the wanted type is bound to it. With an error it is
// the file that is refused, nil if the look-up itself failed.
func (sp *Space) findFile(c *socket.Call, typ socket.Type, path string) (*inode, errno.Errno) {
	u := &sp.core.Personality.Unix
	w := walker{tree: sp.tree, caller: c.Caller, links: u.Symlinks}
	p, e := w.existing(path, follow)
	if e != errno.OK {
		return nil, e
	}
	n := p.node
	isSocket := n.mode&fs.ModeSocket != 0
	switch {
	case !isSocket && u.NotSocketFirst:
		return n, u.NotSocket
	case unwritable(p):
		return n, errno.EROFS
	case !w.may(n, write):
		return n, errno.EACCES
	case !isSocket:
		return n, u.NotSocket
	case n.socket == nil:
		return n, errno.ECONNREFUSED
	case n.socket.typ != typ:
		return n, errno.EPROTOTYPE
	}
	return n, errno.OK
}

// unwritable reports whether a read-only file system forbids to write to the file: not to a socket, fifo or device, which
// are written to elsewhere (sb_permission; seen on Linux 6.18 with a tmpfs remounted read-only).
func unwritable(p place) bool {
	return (p.node.mode.IsRegular() || p.node.mode.IsDir()) && p.onto().mounted().readOnly
}

func (sp *Space) tellAbstract(c *socket.Call, from *endpoint, name []byte, other *endpoint) {
	shown := sockaddr.OfUnix(string(name)).String()
	if other == nil {
		c.Trail.Decide(sp.core.Now(), trail.Name, "%s: nobody of type %v is bound to the abstract name: ECONNREFUSED", shown, from.typ)
		return
	}
	c.Trail.Add(sp.core.Now(), trail.Name, "%s: an abstract name of a socket of type %v", shown, other.typ)
}
