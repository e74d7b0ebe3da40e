// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// parse checks an address's length and family, and returns the name in it (unix_validate_addr). A name of length 0,
// which is none, is EINVAL; bind takes care of it before.
func (sp *Space) parse(c *socket.Call, addr []byte) (name string, e errno.Errno) {
	u := &sp.core.Personality.Unix
	if len(addr) <= sockaddr.LenFamily || len(addr) > sockaddr.LenFamily+u.PathMax {
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "an address of %d bytes: EINVAL", len(addr))
		}
		return "", errno.EINVAL
	}
	a := sockaddr.ParseUnix(addr)
	switch {
	case a.Family != sockaddr.Unix:
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "an address of %v: %s", a.Family, u.WrongFamily.Name())
		}
		return "", u.WrongFamily
	case a.IsAbstract() && !u.Abstract:
		if c.Trail != nil {
			c.Trail.Decide(sp.core.Now(), trail.Name, "the path is empty: ENOENT")
		}
		return "", errno.ENOENT
	}
	return a.Name, errno.OK
}

// find returns who is bound to a name, of the type that from is of, in the order of Linux's unix_find_other: the path,
// write permission on the file, somebody bound to it, its type.
func (sp *Space) find(c *socket.Call, from *endpoint, name string) (*endpoint, errno.Errno) {
	if name[0] == 0 {
		other := sp.abstract[abstractName{from.typ, name}]
		if c.Trail != nil {
			sp.tellAbstract(c, from, name, other)
		}
		if other == nil {
			return nil, errno.ECONNREFUSED
		}
		return other, errno.OK
	}
	other, e, why := sp.findPath(c, from.typ, name)
	if c.Trail != nil {
		if e != errno.OK {
			c.Trail.Decide(sp.core.Now(), trail.Name, "%s: %s: %s", name, why, e.Name())
		} else {
			c.Trail.Add(sp.core.Now(), trail.Name, "%s: a socket of type %v", name, other.typ)
		}
	}
	return other, e
}

// findPath is find for a path; why says what the trail does of an error.
func (sp *Space) findPath(c *socket.Call, typ socket.Type, path string) (other *endpoint, e errno.Errno, why string) {
	u := &sp.core.Personality.Unix
	sp.tree.mu.Lock()
	defer sp.tree.mu.Unlock()
	w := walker{tree: sp.tree, caller: c.Caller, links: u.Symlinks}
	p, e := w.existing(path, follow)
	if e != errno.OK {
		why, ok := lookupReasons[e]
		if !ok {
			why = "the look-up fails"
		}
		return nil, e, why
	}
	n := p.node
	notSocket := n.mode&fs.ModeSocket == 0
	switch {
	case notSocket && u.NotSocketFirst:
		return nil, u.NotSocket, "it is no socket but " + kind(n.mode)
	case unwritable(p):
		return nil, errno.EROFS, "it is " + kind(n.mode) + " on a read-only file system"
	case !w.may(n, write):
		return nil, errno.EACCES, "no write permission on " + describe(n)
	case notSocket:
		return nil, u.NotSocket, "it is no socket but " + kind(n.mode)
	case n.socket == nil:
		return nil, errno.ECONNREFUSED, "nobody is bound to the socket file"
	case n.socket.typ != typ:
		return nil, errno.EPROTOTYPE, "the socket there is of type " + n.socket.typ.String()
	}
	return n.socket, errno.OK, ""
}

// unwritable reports whether a read-only file system forbids to write to the file: not to a socket, fifo or device, which
// are written to elsewhere (sb_permission; seen on Linux 6.18 with a tmpfs remounted read-only).
func unwritable(p place) bool {
	return (p.node.mode.IsRegular() || p.node.mode.IsDir()) && p.onto().mounted().readOnly
}

func (sp *Space) tellAbstract(c *socket.Call, from *endpoint, name string, other *endpoint) {
	shown := sockaddr.OfUnix(name).String()
	if other == nil {
		c.Trail.Decide(sp.core.Now(), trail.Name, "%s: nobody of type %v is bound to the abstract name: ECONNREFUSED", shown, from.typ)
		return
	}
	c.Trail.Add(sp.core.Now(), trail.Name, "%s: an abstract name of a socket of type %v", shown, other.typ)
}

// lookupReasons says for the trail why a path leads nowhere. Other errors come from [Tree.Fail].
var lookupReasons = map[errno.Errno]string{
	errno.ENOENT:       "a component does not exist",
	errno.ENOTDIR:      "a component used as a directory is none",
	errno.EACCES:       "no search permission on a directory of the path",
	errno.ELOOP:        "too many symbolic links",
	errno.ENAMETOOLONG: "a component is too long",
}
