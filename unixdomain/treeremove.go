// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"strings"

	"dialtone/errno"
)

// Remove removes a file or an empty directory (unlink(2), rmdir(2)). The order of errors here and in Rename is that of
// Linux's fs/namei.c; TestTreeAgreesWithFileSystem compares.
func (t *Tree) Remove(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return pathError("remove", name, t.remove(name))
}

func (t *Tree) remove(name string) errno.Errno {
	w := t.walker()
	p, e := w.resolve(name, entry)
	switch {
	case e != errno.OK:
		return e
	case p.name == "":
		return removesNothing(name)
	case p.dir.mounted().readOnly:
		return errno.EROFS
	case p.node == nil:
		return errno.ENOENT
	case p.slash && !p.node.mode.IsDir():
		return errno.ENOTDIR
	case p.node.mount != nil:
		return errno.EBUSY
	case len(p.node.entries) > 0:
		return errno.ENOTEMPTY
	}
	delete(p.dir.entries, p.name)
	return errno.OK
}

// removesNothing returns rmdir's error for a name that ends in no entry of a directory.
func removesNothing(name string) errno.Errno {
	name = strings.TrimRight(name, "/")
	switch name[strings.LastIndexByte(name, '/')+1:] {
	case "..":
		return errno.ENOTEMPTY
	case ".":
		return errno.EINVAL
	}
	return errno.EBUSY // the root
}

// Rename renames a file, replacing what may be there (rename(2)); unlike os.Rename it replaces empty directories too.
func (t *Tree) Rename(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return linkError("rename", oldname, newname, t.rename(oldname, newname))
}

func (t *Tree) rename(oldname, newname string) errno.Errno {
	w, v := t.walker(), t.walker()
	from, e := w.resolve(oldname, entry)
	if e != errno.OK {
		return e
	}
	to, e := v.resolve(newname, entry)
	switch {
	case e != errno.OK:
		return e
	case from.dir.mounted() != to.dir.mounted():
		return errno.EXDEV
	case from.name == "" || to.name == "":
		return errno.EBUSY
	case from.dir.mounted().readOnly:
		return errno.EROFS
	case from.node == nil:
		return errno.ENOENT
	}
	directory := from.node.mode.IsDir()
	switch {
	case !directory && (from.slash || to.slash):
		return errno.ENOTDIR
	case directory && to.dir.within(from.node):
		return errno.EINVAL
	case from.node.mount != nil, to.node != nil && to.node.mount != nil:
		return errno.EBUSY
	case to.node == nil:
	case to.node.mode.IsDir() && from.dir.within(to.node):
		return errno.ENOTEMPTY
	case to.node == from.node:
		return errno.OK // two names of one file: nothing happens
	case directory && !to.node.mode.IsDir():
		return errno.ENOTDIR
	case !directory && to.node.mode.IsDir():
		return errno.EISDIR
	case len(to.node.entries) > 0:
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
