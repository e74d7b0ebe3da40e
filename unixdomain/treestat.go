// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"path"
	"time"
)

// Stat tells a file's type and permissions; symbolic links are followed. [fs.FileInfo.Sys] gives its [Owner].
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name, follow) }

// Lstat is Stat of a symbolic link itself.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name, keep) }

func (t *Tree) stat(op, name string, f final) (fs.FileInfo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.walker()
	p, e := w.existing(name, f)
	if err := pathError(op, name, e); err != nil {
		return nil, err
	}
	return info{path.Base(name), p.node.mode, Owner{p.node.uid, p.node.gid}}, nil
}

// Owner is who a file belongs to.
type Owner struct{ UID, GID uint32 }

type info struct {
	name  string
	mode  fs.FileMode
	owner Owner
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.owner }
