// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"sync"

	"dialtone/errno"
)

// Tree is the files of one machine, in memory, as far as sockets can see them: directories, symbolic links, sockets, and
// files that are no sockets, with owners and permissions. Nothing can be read from or written to its files.
//
// The methods have the names and errors of package os ([fs.PathError], [os.LinkError], with a syscall.Errno inside). They
// act as the superuser, who is refused only what nobody may do; names are slash-separated, and relative ones begin at
// the root. They may be called at any time, also while sockets are in use: a socket whose file is removed or renamed lives
// on, and is reached by its file alone.
type Tree struct {
	mu   sync.Mutex // a leaf: taken with a host's lock held, or without
	root *inode
	// descriptors is /proc/self/fd; nil: nobody has asked for it yet.
	descriptors *inode
}

// inode is a file. The tree's lock guards it, but for socket, which the lock of the machine guards.
type inode struct {
	mode     fs.FileMode // type and permissions
	uid, gid uint32
	target   string            // of a symbolic link
	entries  map[string]*inode // of a directory
	parent   *inode            // of a directory; the root's is itself
	mount    *mount            // set where a file system is mounted on the directory
	fault    errno.Errno       // looking it up fails so
	opened   *place            // of a link in /proc/self/fd: where it leads, whatever its path may be by now
	socket   *endpoint         // who is bound to it; nil: nobody any more
}

// mount is a file system's root.
type mount struct {
	readOnly bool
	proc     bool // proc(5): nobody makes files there
}

// NewTree returns a tree of a root directory alone, owned by the superuser, mode 0755.
func NewTree() *Tree {
	root := newInode(fs.ModeDir|0o755, 0, 0)
	root.parent = root
	root.mount = &mount{}
	return &Tree{root: root}
}

func newInode(mode fs.FileMode, uid, gid uint32) *inode {
	n := &inode{mode: mode, uid: uid, gid: gid}
	if mode.IsDir() {
		n.entries = map[string]*inode{}
	}
	return n
}

// mounted returns the file system that directory d belongs to.
func (d *inode) mounted() *mount {
	for d.mount == nil {
		d = d.parent
	}
	return d.mount
}

// add makes n an entry of directory d.
func (d *inode) add(name string, n *inode) {
	d.entries[name] = n
	if n.mode.IsDir() {
		n.parent = d
	}
}
