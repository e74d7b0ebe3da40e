// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"dialtone/errno"
)

// keptBits are what Chmod and the creating methods take of a mode.
const keptBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// pathError returns e as package os would.
func pathError(op, name string, e errno.Errno) error {
	if e == errno.OK {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: e.Syscall()}
}

// walker returns one for the superuser.
func (t *Tree) walker() walker { return walker{tree: t, links: maxLinks} }

// existing looks up a file that must exist.
func (w *walker) existing(name string, f final) (place, errno.Errno) {
	p, e := w.resolve(name, f)
	if e == errno.OK && p.node == nil {
		e = errno.ENOENT
	}
	return p, e
}

// vacant looks up where a file may be created, in the order of Linux's filename_create and may_create: what exists
// already comes before a read-only file system, and that before permission.
func (w *walker) vacant(name string, directory bool) (place, errno.Errno) {
	p, e := w.resolve(name, entry)
	switch {
	case e != errno.OK:
		return p, e
	case p.node != nil:
		return p, errno.EEXIST
	case p.slash && !directory, p.dir.mounted().proc:
		return p, errno.ENOENT
	case p.dir.mounted().readOnly:
		return p, errno.EROFS
	case !w.may(p.dir, write|search):
		return p, errno.EACCES
	}
	return p, errno.OK
}

// create makes a file.
func (w *walker) create(name string, mode fs.FileMode) (*inode, errno.Errno) {
	p, e := w.vacant(name, mode.IsDir())
	if e != errno.OK {
		return nil, e
	}
	return w.createAt(p, mode), errno.OK
}

// createAt makes a file where a look-up has found room. The walker's caller becomes its owner; the group is the
// directory's if that has the set-group-ID bit (inode(7)).
func (w *walker) createAt(p place, mode fs.FileMode) *inode {
	n := newInode(mode, 0, 0)
	if w.caller != nil {
		n.uid, n.gid = w.caller.UID, w.caller.GID
	}
	if p.dir.mode&fs.ModeSetgid != 0 {
		n.gid = p.dir.gid
		if mode.IsDir() {
			n.mode |= fs.ModeSetgid
		}
	}
	p.dir.add(p.name, n)
	return n
}

// make creates a file for the superuser.
func (t *Tree) make(op, name string, mode fs.FileMode) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	_, e := w.create(name, mode)
	return pathError(op, name, e)
}

// Mkdir makes a directory. Like all of the creating methods it fails with EEXIST, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG or
// EROFS.
func (t *Tree) Mkdir(name string, perm fs.FileMode) error {
	return t.make("mkdir", name, fs.ModeDir|perm&keptBits)
}

// MkdirAll makes a directory and those above it that lack.
func (t *Tree) MkdirAll(name string, perm fs.FileMode) error {
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' || name[i-1] == '/' {
			continue
		}
		info, err := t.Stat(name[:i])
		switch {
		case err == nil && !info.IsDir():
			return pathError("mkdir", name[:i], errno.ENOTDIR)
		case err == nil:
		default:
			if err := t.Mkdir(name[:i], perm); err != nil {
				return err
			}
		}
	}
	return nil
}

// Create makes an empty regular file. Unlike os.Create it doesn't touch one that exists.
func (t *Tree) Create(name string, perm fs.FileMode) error {
	return t.make("open", name, perm&keptBits)
}

// Mkfifo makes a named pipe.
func (t *Tree) Mkfifo(name string, perm fs.FileMode) error {
	return t.make("mkfifo", name, fs.ModeNamedPipe|perm&keptBits)
}

// Mknod makes a device, of blocks or, if mode has [fs.ModeCharDevice], of characters; or a socket that nobody is bound
// to, if mode has [fs.ModeSocket].
func (t *Tree) Mknod(name string, mode fs.FileMode) error {
	if mode&fs.ModeSocket == 0 {
		mode |= fs.ModeDevice
	}
	return t.make("mknod", name, mode&(keptBits|fs.ModeDevice|fs.ModeCharDevice|fs.ModeSocket))
}

// Symlink makes newname a symbolic link to oldname, which need not exist.
func (t *Tree) Symlink(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	e := errno.ENOENT
	switch {
	case len(oldname) >= pathMax:
		e = errno.ENAMETOOLONG
	case oldname != "":
		var n *inode
		if n, e = w.create(newname, fs.ModeSymlink|0o777); e == errno.OK {
			n.target = oldname
		}
	}
	return linkError("symlink", oldname, newname, e)
}

// Link makes newname another name of the file oldname, which must not be a directory (EPERM) nor on another file system
// (EXDEV).
func (t *Tree) Link(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return linkError("link", oldname, newname, t.link(oldname, newname))
}

func (t *Tree) link(oldname, newname string) errno.Errno {
	from, to := t.walker(), t.walker()
	old, e := from.existing(oldname, keep)
	if e != errno.OK {
		return e
	}
	place, e := to.vacant(newname, false)
	switch {
	case e != errno.OK:
		return e
	case old.onto().mounted() != place.dir.mounted():
		return errno.EXDEV
	case old.node.mode.IsDir():
		return errno.EPERM
	}
	place.dir.add(place.name, old.node)
	return errno.OK
}

func linkError(op, oldname, newname string, e errno.Errno) error {
	if e == errno.OK {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: e.Syscall()}
}

// Chmod sets the permissions of a file; symbolic links are followed.
func (t *Tree) Chmod(name string, mode fs.FileMode) error {
	return t.change("chmod", name, func(n *inode) { n.mode = n.mode&^keptBits | mode&keptBits })
}

// Chown sets the owner and group of a file; symbolic links are followed. -1 leaves either as it is.
func (t *Tree) Chown(name string, uid, gid int) error {
	return t.change("chown", name, func(n *inode) {
		if uid != -1 {
			n.uid = uint32(uid)
		}
		if gid != -1 {
			n.gid = uint32(gid)
		}
	})
}

func (t *Tree) change(op, name string, f func(*inode)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	p, e := w.existing(name, follow)
	if e == errno.OK && p.onto().mounted().readOnly {
		e = errno.EROFS
	}
	if e == errno.OK {
		f(p.node)
	}
	return pathError(op, name, e)
}

// onto returns the directory whose file system the place's file is on.
func (p place) onto() *inode {
	if p.node != nil && p.node.mode.IsDir() {
		return p.node
	}
	return p.dir
}

// Fail makes every look-up of a file fail with e from now on (EIO: a bad disk; EACCES: a guest on a network's), for the
// superuser too; OK mends it.
func (t *Tree) Fail(name string, e errno.Errno) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	dir, base := path.Split(strings.TrimRight(name, "/"))
	p, found := w.existing("/"+dir, follow)
	if found == errno.OK && !p.node.mode.IsDir() {
		found = errno.ENOTDIR
	}
	if found == errno.OK && p.node.entries[base] == nil {
		found = errno.ENOENT
	}
	if found == errno.OK {
		p.node.entries[base].fault = e
	}
	return pathError("fail", name, found)
}

// SetReadOnly makes a directory and what is below it a file system of its own, which is read-only or not, whatever the one
// above is; done again it is as remounting. On a read-only file system nothing can be created, renamed or removed; that
// doesn't hinder anybody who connects to a socket there.
func (t *Tree) SetReadOnly(name string, on bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	p, e := w.existing(name, follow)
	switch {
	case e != errno.OK:
	case !p.node.mode.IsDir():
		e = errno.ENOTDIR
	case p.node.mount != nil:
		p.node.mount.readOnly = on
	default:
		p.node.mount = &mount{readOnly: on}
	}
	return pathError("remount", name, e)
}
