// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// credentials are what a process has changed since it started as root. On Linux they belong to the thread; here each
// call has a thread of its own, which assumes them before the call.
type credentials struct {
	uid, gid *int
	groups   []int
	caps     *uint64
	setGroup bool
	ports    []uint64 // nil: no Landlock ruleset
}

// assume gives the calling thread the credentials. The order lets each step have the rights it needs.
func (c credentials) assume() error {
	if c.ports != nil {
		if e := restrict(c.ports); e != 0 {
			return e
		}
	}
	if c.setGroup {
		if e := setgroups(c.groups); e != 0 {
			return e
		}
	}
	if c.gid != nil {
		if e := setresgid(*c.gid); e != 0 {
			return e
		}
	}
	if c.caps != nil {
		if e := capset(*c.caps); e != 0 {
			return e
		}
	}
	if c.uid != nil {
		if e := setresuid(*c.uid); e != 0 {
			return e
		}
	}
	return nil
}

// The system calls act on the calling thread alone; the wrappers of package syscall would change all threads.

func setresuid(euid int) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(euid), ^uintptr(0))
	return e
}

func setresgid(egid int) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_SETRESGID, ^uintptr(0), uintptr(egid), ^uintptr(0))
	return e
}

func setgroups(groups []int) unix.Errno {
	list := make([]uint32, len(groups)+1)
	for i, g := range groups {
		list[i] = uint32(g)
	}
	_, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&list[0])), 0)
	return e
}

// capset sets the effective capabilities, and leaves the permitted ones.
func capset(effective uint64) unix.Errno {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err.(unix.Errno)
	}
	data[0].Effective, data[1].Effective = uint32(effective), uint32(effective>>32)
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err.(unix.Errno)
	}
	return 0
}
