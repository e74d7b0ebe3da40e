// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// TestTreeAgreesWithFileSystem does the same random things to a Tree and to the real files of a temporary directory, and
// compares what each says. All modes grant the owner everything, so that it doesn't matter who runs the test. Paths stay
// within a few directories of the root, so that ".." means the same on both.
func TestTreeAgreesWithFileSystem(t *testing.T) {
	top, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		const deep = "/x/x/x/x"
		n++
		real := filepath.Join(top, fmt.Sprint(n)) + deep
		tree := NewTree()
		if err := errors.Join(os.MkdirAll(real, 0o755), tree.MkdirAll(deep, 0o755)); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			what := rapid.SampledFrom([]string{"mkdir", "mkdir", "symlink", "symlink", "create", "link", "rename", "rename", "remove", "stat", "lstat"}).Draw(t, "what")
			a, b := drawName(t), drawName(t)
			ours, theirs := doBoth(tree, deep+"/", real+"/", what, a, b)
			if !sameErrno(ours, theirs) {
				t.Fatalf("%s %q %q: %v, really %v", what, a, b, ours, theirs)
			}
		}
	})
}

// drawName draws a relative path that goes up three times at most.
func drawName(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "a", "b", "b", "c", ".", "..", ""}), 1, 3).Draw(t, "path")
	if name := strings.Join(parts, "/"); !strings.HasPrefix(name, "/") {
		return name
	}
	return "a"
}

func doBoth(tree *Tree, ours, theirs, what, a, b string) (error, error) {
	switch what {
	case "mkdir":
		return tree.Mkdir(ours+a, 0o755), syscall.Mkdir(theirs+a, 0o755)
	case "symlink":
		target := strings.ReplaceAll(strings.ReplaceAll(a, "..", "b"), ".", "c") // never up, so that paths stay inside
		return tree.Symlink(target, ours+b), syscall.Symlink(target, theirs+b)
	case "create":
		return tree.Mknod(ours+a, os.ModeSocket|0o755), syscall.Mknod(theirs+a, syscall.S_IFSOCK|0o755, 0)
	case "link":
		return tree.Link(ours+a, ours+b), syscall.Link(theirs+a, theirs+b)
	case "rename":
		return tree.Rename(ours+a, ours+b), syscall.Rename(theirs+a, theirs+b)
	case "remove":
		return tree.Remove(ours + a), os.Remove(theirs + a)
	}
	stat, realStat := tree.Stat, os.Stat
	if what == "lstat" {
		stat, realStat = tree.Lstat, os.Lstat
	}
	x, e1 := stat(ours + a)
	y, e2 := realStat(theirs + a)
	if e1 == nil && e2 == nil && x.Mode().Type() != y.Mode().Type() {
		return errors.New(x.Mode().String()), errors.New(y.Mode().String())
	}
	return e1, e2
}

func sameErrno(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	var x, y syscall.Errno
	return errors.As(a, &x) && errors.As(b, &y) && x == y
}
