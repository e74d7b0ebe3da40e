// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dialtone/errno"
	"dialtone/socket"
)

// naiveTree is the twin: a flat map from clean absolute paths to files, and a look-up that knows no pointers.
type naiveTree map[string]naiveFile

type naiveFile struct {
	mode     fs.FileMode
	uid, gid uint32
	target   string
}

// look returns the clean path of the file that name leads to; exists is false if only its directory does.
func (t naiveTree) look(c *socket.Caller, at, name string, follow bool, links *int) (found string, exists bool, e errno.Errno) {
	if strings.HasPrefix(name, "/") {
		at = "/"
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		last := strings.Join(parts[i+1:], "") == ""
		mustBeDir := i+1 < len(parts)
		if part == "" {
			continue
		}
		switch {
		case !t[at].mode.IsDir():
			return "", false, errno.ENOTDIR
		case !t.search(c, at):
			return "", false, errno.EACCES
		case len(part) > 255:
			return "", false, errno.ENAMETOOLONG
		}
		next := path.Join(at, part)
		f, ok := t[next]
		if !ok {
			if last {
				return next, false, errno.OK
			}
			return "", false, errno.ENOENT
		}
		if f.mode&fs.ModeSymlink != 0 && (follow || mustBeDir) {
			if *links--; *links < 0 {
				return "", false, errno.ELOOP
			}
			target := f.target
			if mustBeDir && last {
				target += "/"
			}
			next, ok, e = t.look(c, at, target, true, links)
			switch {
			case e != errno.OK:
				return "", false, e
			case !ok && !last:
				return "", false, errno.ENOENT
			case !ok:
				return next, false, errno.OK
			}
		}
		if mustBeDir && !t[next].mode.IsDir() {
			return "", false, errno.ENOTDIR
		}
		at = next
	}
	return at, true, errno.OK
}

func (t naiveTree) search(c *socket.Caller, dir string) bool {
	f := t[dir]
	perm := f.mode.Perm() & 0o001
	if c.InGroup(f.gid) {
		perm = f.mode.Perm() & 0o010
	}
	if c.UID == f.uid {
		perm = f.mode.Perm() & 0o100
	}
	return perm != 0 || c.Caps != 0
}

// twins makes a random tree of both kinds.
func twins(t *rapid.T) (*Tree, naiveTree) {
	tree, naive := NewTree(), naiveTree{"/": {mode: fs.ModeDir | 0o755}}
	dirs := []string{"/"}
	for range rapid.IntRange(1, 12).Draw(t, "files") {
		p := path.Join(rapid.SampledFrom(dirs).Draw(t, "dir"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"))
		if _, ok := naive[p]; ok {
			continue
		}
		f := naiveFile{
			mode: rapid.SampledFrom([]fs.FileMode{0o777, 0o755, 0o711, 0o701, 0o070, 0o077, 0o600, 0}).Draw(t, "mode"),
			uid:  rapid.Uint32Range(0, 1).Draw(t, "uid"), gid: rapid.Uint32Range(0, 1).Draw(t, "gid"),
		}
		var err error
		switch rapid.SampledFrom([]string{"dir", "dir", "link", "link", "file"}).Draw(t, "kind") {
		case "dir":
			err = tree.Mkdir(p, f.mode)
			f.mode |= fs.ModeDir
			dirs = append(dirs, p)
		case "link":
			f.target = drawPath(t, "target")
			err = tree.Symlink(f.target, p)
			f.mode = fs.ModeSymlink | 0o777
		case "file":
			err = tree.Create(p, f.mode)
		}
		if err == nil && f.target == "" {
			err = tree.Chown(p, int(f.uid), int(f.gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		naive[p] = f
	}
	return tree, naive
}

// drawPath draws a path of few names, dots and slashes, so that many lead somewhere.
func drawPath(t *rapid.T, label string) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ".", "..", "", "a/b", "/"}), 1, 6).Draw(t, label)
	if p := strings.Join(parts, "/"); p != "" {
		return p
	}
	return "/"
}

// canonical returns the clean path of a place.
func canonical(p place) string {
	dir, name := p.dir, p.name
	if name == "" {
		dir = p.node
	}
	for dir.parent != dir {
		for n, child := range dir.parent.entries {
			if child == dir {
				name = path.Join(n, name)
			}
		}
		dir = dir.parent
	}
	return path.Join("/", name)
}

func compare(t *rapid.T, tree *Tree, naive naiveTree, c *socket.Caller, name string, f final, links int) {
	w := walker{tree: tree, caller: c, links: links}
	p, e := w.resolve(name, f)
	want, exists, wantErr := naive.look(c, "/", name, f == follow, &links)
	if e != wantErr {
		t.Fatalf("%q: %v, want %v", name, e.Name(), wantErr.Name())
	}
	if e == errno.OK && (canonical(p) != want || (p.node != nil) != exists) {
		t.Fatalf("%q leads to %q (exists: %v), want %q (%v)", name, canonical(p), p.node != nil, want, exists)
	}
}

func TestResolveAgreesWithNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, naive := twins(t)
		for range 10 {
			c := &socket.Caller{UID: rapid.Uint32Range(0, 2).Draw(t, "who"), GID: rapid.Uint32Range(0, 2).Draw(t, "group")}
			if rapid.Bool().Draw(t, "capable") {
				c.Caps = rapid.SampledFrom([]socket.Caps{socket.DACOverride, socket.DACReadSearch}).Draw(t, "caps")
			}
			compare(t, tree, naive, c, drawPath(t, "path"), rapid.SampledFrom([]final{follow, keep}).Draw(t, "final"), rapid.IntRange(0, 6).Draw(t, "links"))
		}
	})
}

func TestPathLimits(t *testing.T) { // path_resolution(7), "Length limits"
	tree := NewTree()
	long := strings.Repeat("n", nameMax)
	for name, want := range map[string]errno.Errno{
		"/" + long:                           errno.OK,
		"/" + long + "n":                     errno.ENAMETOOLONG,
		"/none/" + long + "n":                errno.ENOENT,
		strings.Repeat("/", pathMax-1):       errno.OK,
		strings.Repeat("/", pathMax):         errno.ENAMETOOLONG,
		strings.Repeat("./", pathMax/2-1):    errno.OK,
		strings.Repeat("./", pathMax/2):      errno.ENAMETOOLONG,
		"":                                   errno.ENOENT,
		"/../../" + strings.Repeat("../", 9): errno.OK,
	} {
		w := tree.walker()
		if _, e := w.resolve(name, follow); e != want {
			t.Errorf("a path of %d bytes: %v, want %v", len(name), e.Name(), want.Name())
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/a/b/c", "a/../b/", "l/l/l", "/loop", "//", "./.././x", "up/up/a"} {
		f.Add(s, uint32(0), true)
	}
	tree, naive := NewTree(), naiveTree{"/": {mode: fs.ModeDir | 0o755}}
	for _, file := range []struct {
		path, target string
		mode         fs.FileMode
	}{
		{"/a", "", fs.ModeDir | 0o755},
		{"/a/b", "", fs.ModeDir | 0o700},
		{"/a/b/c", "", 0o644},
		{"/b", "", fs.ModeDir | 0o711},
		{"/b/up", "../b", fs.ModeSymlink | 0o777},
		{"/up", "b/up/..", fs.ModeSymlink | 0o777},
		{"/l", "/a/b/../../l2/", fs.ModeSymlink | 0o777},
		{"/l2", "b//", fs.ModeSymlink | 0o777},
		{"/loop", "loop/x", fs.ModeSymlink | 0o777},
	} {
		var err error
		switch {
		case file.target != "":
			err = tree.Symlink(file.target, file.path)
		case file.mode.IsDir():
			err = tree.Mkdir(file.path, file.mode)
		default:
			err = tree.Create(file.path, file.mode)
		}
		if err != nil {
			f.Fatal(err)
		}
		naive[file.path] = naiveFile{mode: file.mode, target: file.target}
	}
	f.Fuzz(func(t *testing.T, name string, uid uint32, followLast bool) {
		last := keep
		if followLast {
			last = follow
		}
		w := walker{tree: tree, caller: &socket.Caller{UID: uid, GID: 9}, links: maxLinks}
		p, e := w.resolve(name, last)
		if name == "" || len(name) >= pathMax {
			if e == errno.OK {
				t.Errorf("%q leads somewhere", name)
			}
			return
		}
		links := maxLinks
		want, exists, wantErr := naive.look(w.caller, "/", name, followLast, &links)
		if e != wantErr || e == errno.OK && (canonical(p) != want || (p.node != nil) != exists) {
			t.Errorf("%q: %v, %+v; want %q (%v), %v", name, e.Name(), p, want, exists, wantErr.Name())
		}
	})
}
