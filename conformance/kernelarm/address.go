// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/binary"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// pointer lays an address out in memory as the script says, and gives what to pass for it.
func (p *performer) pointer(a conformance.Address) (address uintptr, release func(), e unix.Errno) {
	none := func() {}
	switch a.Pointer {
	case conformance.PointerNull:
		return 0, none, 0
	case conformance.PointerBad:
		return 1, none, 0
	case conformance.PointerKernel:
		return 0xffff_8000_0000_0000, none, 0
	}
	if a.Zone != "" {
		n, err := interfaceIndex(a.Zone)
		if err != nil {
			return 0, none, err.(unix.Errno)
		}
		binary.NativeEndian.PutUint32(a.Bytes[24:], uint32(n))
	}
	if a.Pointer == conformance.PointerGuarded {
		return guarded(a.Bytes)
	}
	return p.at(a.Storage()), none, 0
}

// guarded puts bytes at the end of a page, with an unreadable one behind it.
func guarded(b []byte) (uintptr, func(), unix.Errno) {
	page := os.Getpagesize()
	m, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, func() {}, err.(unix.Errno)
	}
	copy(m[page-len(b):], b)
	if err := unix.Mprotect(m[page:], unix.PROT_NONE); err != nil {
		return 0, func() {}, err.(unix.Errno)
	}
	release := func() {
		if err := unix.Munmap(m); err != nil {
			panic(err) // the mapping is ours
		}
	}
	return uintptr(unsafe.Pointer(&m[page-len(b)])), release, 0
}

// interfaceIndex and interfaceName ask the kernel by netdevice(7): package net would drag in cgo.
func interfaceIndex(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, err
	}
	return int(ifr.Uint32()), nil
}

func interfaceName(index int) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return strconv.Itoa(index)
	}
	defer unix.Close(fd)
	var ifr [40]byte // struct ifreq: the name, then the index
	binary.NativeEndian.PutUint32(ifr[16:], uint32(index))
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&ifr))); e != 0 {
		return strconv.Itoa(index)
	}
	return unix.ByteSliceToString(ifr[:16])
}
