// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"strings"

	"dialtone/errno"
)

// Remove removes a file or an empty directory (ENOTEMPTY).
func (t *Tree) Remove(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, e := t.removable(name)
	if e == errno.OK && len(p.node.entries) > 0 {
		e = errno.ENOTEMPTY
	}
	if e == errno.OK {
		delete(p.dir.entries, p.name)
	}
	return pathError("remove", name, e)
}

// removable looks up a name that may be taken away from its directory.
func (t *Tree) removable(name string) (place, errno.Errno) {
	w := t.walker()
	p, e := w.existing(name, false)
	switch {
	case e != errno.OK:
	case p.name == "" && strings.HasSuffix(strings.TrimRight(name, "/"), "."):
		e = errno.EINVAL // rmdir(2): the last component is a dot
	case p.name == "", p.node.mount != nil:
		e = errno.EBUSY
	case p.dir.mounted().readOnly:
		e = errno.EROFS
	}
	return p, e
}

// Rename renames a file, replacing what may be there (rename(2)). A name made on another file system is EXDEV.
func (t *Tree) Rename(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return linkError("rename", oldname, newname, t.rename(oldname, newname))
}

func (t *Tree) rename(oldname, newname string) errno.Errno {
	from, e := t.removable(oldname)
	if e != errno.OK {
		return e
	}
	w := t.walker()
	to, e := w.resolve(newname, false)
	switch {
	case e != errno.OK:
		return e
	case to.name == "" || to.node != nil && to.node.mount != nil:
		return errno.EBUSY
	case from.dir.mounted() != to.dir.mounted():
		return errno.EXDEV
	case from.node.mode.IsDir() && to.dir.within(from.node):
		return errno.EINVAL
	case to.node == nil && to.slash && !from.node.mode.IsDir():
		return errno.ENOTDIR
	case to.node == from.node && to.node != nil:
		return errno.OK // rename(2): two names of one file: nothing happens
	case to.node != nil && from.node.mode.IsDir() && !to.node.mode.IsDir():
		return errno.ENOTDIR
	case to.node != nil && !from.node.mode.IsDir() && to.node.mode.IsDir():
		return errno.EISDIR
	case to.node != nil && len(to.node.entries) > 0:
		return errno.ENOTEMPTY
	}
	delete(from.dir.entries, from.name)
	to.dir.add(to.name, from.node)
	return errno.OK
}

// within reports whether directory d is top or below it.
func (d *inode) within(top *inode) bool {
	for ; d != top; d = d.parent {
		if d.parent == d {
			return false
		}
	}
	return true
}
