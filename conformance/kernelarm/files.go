// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// file does an action on a host's tree, from outside: paths get the root put before them.
func (w *world) file(action conformance.Action) error {
	switch a := action.(type) {
	case conformance.MakeFile:
		h := w.hosts[a.Host]
		return h.do(func() error { return h.makeFile(a) })
	case conformance.ChangeFile:
		h := w.hosts[a.Host]
		return h.do(func() error {
			if a.SetMode {
				return os.Chmod(h.path(a.Path), a.Mode)
			}
			return os.Lchown(h.path(a.Path), a.UID, a.GID)
		})
	case conformance.RemoveFile:
		h := w.hosts[a.Host]
		return h.do(func() error {
			if a.To == "" {
				return unix.Unlink(h.path(a.Path))
			}
			return os.Rename(h.path(a.Path), h.path(a.To))
		})
	case conformance.Remount:
		h := w.hosts[a.Host]
		if a.Broken {
			return h.do(func() error { return h.breakDisk(a.Path) })
		}
		return h.do(func() error { return unix.Mount("", h.path(a.Path), "", unix.MS_REMOUNT|unix.MS_RDONLY, "") })
	}
	return conformance.NotRun("the kernel arm has no action %T", action)
}

func (h *host) makeFile(a conformance.MakeFile) error {
	path := h.path(a.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch a.Kind {
	case conformance.Directory:
		return os.Mkdir(path, 0o755)
	case conformance.Regular:
		return os.WriteFile(path, nil, 0o644)
	case conformance.FIFO:
		return unix.Mkfifo(path, 0o644)
	case conformance.Device:
		return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))) // null(4)
	case conformance.Symlink:
		return os.Symlink(a.Target, path)
	case conformance.Hardlink:
		return os.Link(h.path(a.Target), path)
	case conformance.Tmpfs:
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return unix.Mount("tmpfs", path, "tmpfs", 0, "mode=755")
	case conformance.Disk:
		return h.makeDisk(path)
	}
	return fmt.Errorf("unknown kind of file %q", a.Kind)
}

// makeDisk mounts an ext4 file system that lies in a file, beside its mount point.
func (h *host) makeDisk(path string) error {
	image := path + ".image"
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(image, 8<<20); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	if err := command("mkfs.ext4", "-q", "-F", "-O", "^has_journal", image); err != nil {
		return conformance.NotRun("no ext4 file system to break: %v", err)
	}
	if err := command("mount", "-o", "loop", image, path); err != nil {
		return conformance.NotRun("no loop device to break: %v", err)
	}
	return nil
}

// breakDisk forgets what the kernel holds of a disk in memory, and takes the blocks away under it.
func (h *host) breakDisk(name string) error {
	path := h.path(name)
	if _, err := os.Stat(path + ".image"); err != nil {
		return fmt.Errorf("break: %s is no disk: %w", name, err)
	}
	unix.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		return err
	}
	return os.Truncate(path+".image", 0)
}
