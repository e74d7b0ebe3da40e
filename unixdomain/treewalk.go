// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"strings"

	"dialtone/errno"
	"dialtone/socket"
)

// The limits of path_resolution(7), in bytes: a name's, and a path's with its terminating NUL.
const (
	nameMax = 255
	pathMax = 4096
)

// maxLinks is how many symbolic links a look-up follows, where no personality is asked.
const maxLinks = 40

// place is where a path leads: an entry of a directory, which may not exist.
type place struct {
	dir   *inode
	name  string // of the entry; "" where the path ended in ., .. or the root
	node  *inode // nil: there is no such entry
	slash bool   // the path ended in a slash
}

// final says what a look-up does of the last component.
type final uint8

const (
	follow final = iota // a symbolic link there is followed
	keep                // it is not, unless a slash comes after it
	entry               // the component is looked up, and that is all: for who makes, renames or removes it
)

// walker looks up one path for one caller.
type walker struct {
	tree   *Tree
	caller *socket.Caller // nil: whoever it is may do everything
	links  int            // symbolic links that may still be followed
}

// start returns the directory that relative paths begin at: the caller's working directory.
func (w *walker) start() (*inode, errno.Errno) {
	if w.caller == nil || w.caller.Dir == "" {
		return w.tree.root, errno.OK
	}
	open := walker{tree: w.tree, links: maxLinks}
	p, e := open.walk(w.tree.root, w.caller.Dir, follow)
	switch {
	case e != errno.OK:
		return nil, e
	case p.node == nil:
		return nil, errno.ENOENT // it was removed
	case !p.node.mode.IsDir():
		return nil, errno.ENOTDIR
	}
	return p.node, errno.OK
}

// resolve looks up path as path_resolution(7) says. Everything but the last component must exist.
func (w *walker) resolve(path string, f final) (place, errno.Errno) {
	switch {
	case path == "":
		return place{}, errno.ENOENT
	case len(path) >= pathMax:
		return place{}, errno.ENAMETOOLONG
	case path[0] == '/':
		return w.walk(w.tree.root, path, f)
	}
	dir, e := w.start()
	if e != errno.OK {
		return place{}, e
	}
	return w.walk(dir, path, f)
}

// walk goes from directory dir along path. Links are followed by putting their target before what is left of it.
func (w *walker) walk(dir *inode, path string, f final) (place, errno.Errno) {
	at := place{dir: dir, node: dir}
	for {
		rest := strings.TrimLeft(path, "/")
		if rest == "" {
			return at, errno.OK
		}
		dir := at.node
		if !w.may(dir, search) {
			return place{}, errno.EACCES
		}
		name, tail, slash := strings.Cut(rest, "/")
		last := strings.Trim(tail, "/") == ""
		switch name {
		case ".":
			at = place{dir: dir, node: dir}
		case "..":
			at = place{dir: dir.parent, node: dir.parent}
		default:
			if len(name) > nameMax {
				return place{}, errno.ENAMETOOLONG
			}
			at = place{dir: dir, name: name, node: dir.entries[name]}
			if at.node == nil {
				at.node = w.proc(dir, name)
			}
		}
		at.slash = slash && last
		switch n := at.node; {
		case n == nil && last:
			return at, errno.OK
		case n == nil:
			return place{}, errno.ENOENT
		case n.fault != errno.OK:
			return place{}, n.fault
		case f == entry && last:
			return at, errno.OK
		case n.mode&fs.ModeSymlink != 0 && (!last || slash || f == follow):
			if w.links == 0 {
				return place{}, errno.ELOOP
			}
			w.links--
			if n.opened != nil {
				at = *n.opened
				at.slash = slash && last
				if path = tail; slash && !at.node.mode.IsDir() {
					return place{}, errno.ENOTDIR
				}
				continue
			}
			path = n.target
			if slash {
				path += "/" + tail
			}
			at = place{dir: dir, node: dir}
			if strings.HasPrefix(path, "/") {
				at = place{dir: w.tree.root, node: w.tree.root}
			}
			continue
		case !n.mode.IsDir() && slash:
			return place{}, errno.ENOTDIR
		}
		path = tail
	}
}

// access is a set of permissions, as the bits of one class of a mode.
type access uint32

const (
	search access = 1 // of a directory; elsewhere it would be execute
	write  access = 2
)

// may reports whether the caller has all of want on n: by the class it belongs to, and no other, or by capability
// (path_resolution(7), "Permissions" and "Bypassing permission checks").
func (w *walker) may(n *inode, want access) bool {
	c := w.caller
	if c == nil {
		return true
	}
	bits := access(n.mode.Perm())
	switch {
	case c.UID == n.uid:
		bits >>= 6
	case c.InGroup(n.gid):
		bits >>= 3
	}
	if bits&want == want || c.May(socket.DACOverride) {
		return true
	}
	return n.mode.IsDir() && want == search && c.May(socket.DACReadSearch)
}
