// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"strconv"

	"dialtone/errno"
	"dialtone/socket"
)

// File is a file of a tree, opened: a place that it keeps when the file is renamed or removed. It implements
// [socket.File]; nothing can be read from it or written to it.
type File struct{ place place }

// Socket implements [socket.File]. A socket's file is not the socket.
func (*File) Socket() *socket.Socket { return nil }

// InTree tells /proc/self/fd where the descriptor of an opened file leads, also of one that embeds a File.
func (f *File) InTree() *File { return f }

// IsSocket reports whether the file is a socket: open(2) without O_PATH refuses it (ENXIO).
func (f *File) IsSocket() bool { return f.place.node.mode&fs.ModeSocket != 0 }

// Open looks a file up for a caller as open(2) does, and returns the place. ENOENT, ENOTDIR, ELOOP, EACCES of a directory
// on the way; what the file itself permits is not asked (O_PATH).
func (t *Tree) Open(c *socket.Caller, name string) (*File, errno.Errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := walker{tree: t, caller: c, links: maxLinks}
	p, e := w.existing(name, follow)
	if e != errno.OK {
		return nil, e
	}
	return &File{p}, errno.OK
}

// proc returns an entry that a directory has without having it: /proc/self/fd of proc(5), for callers who have
// descriptors; nil if it is none. A tree gets these directories when somebody looks for them first.
func (w *walker) proc(dir *inode, name string) *inode {
	if w.caller == nil || w.caller.Files == nil {
		return nil
	}
	switch t := w.tree; {
	case dir == t.root && name == "proc":
		proc, self := newInode(fs.ModeDir|0o555, 0, 0), newInode(fs.ModeDir|0o555, 0, 0)
		proc.mount = &mount{proc: true}
		t.descriptors = newInode(fs.ModeDir|0o500, 0, 0)
		t.root.add("proc", proc)
		proc.add("self", self)
		self.add("fd", t.descriptors)
		return proc
	case dir == t.descriptors:
		return w.descriptor(name)
	}
	return nil
}

// descriptor returns the link of /proc/self/fd for one of the caller's descriptors. It leads to the very file, not to a
// path. What is in no tree, as a socket itself, is a file of its own that nobody can be bound to.
func (w *walker) descriptor(name string) *inode {
	fd, err := strconv.ParseUint(name, 10, 31)
	number := strconv.FormatUint(fd, 10) // to be kept, as name is not: a look-up allocates nothing
	if err != nil || number != name {
		return nil
	}
	link := newInode(fs.ModeSymlink|0o777, w.caller.UID, w.caller.GID)
	switch f := w.caller.Files.File(int(fd)).(type) {
	case nil:
		return nil
	case interface{ InTree() *File }:
		link.opened = &f.InTree().place
	default:
		mode := fs.FileMode(0o600)
		if f.Socket() != nil {
			mode = fs.ModeSocket | 0o777
		}
		link.opened = &place{dir: w.tree.descriptors, name: number, node: newInode(mode, w.caller.UID, w.caller.GID)}
	}
	return link
}
