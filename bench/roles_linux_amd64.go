// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This program is also the program that is hosted: with roleArgument, a role and its arguments it makes system calls, as a
// program in C would, and prints how long that took.

const (
	roleArgument = "as"
	bulkSize     = 64 << 10 // bytes of a write
)

var roles = map[string]func(args []string) (time.Duration, error){
	"connections": roleConnections,
	"upload":      roleUpload,
	"download":    roleDownload,
}

// playRole does what the arguments say, if they are a role's, and reports whether they were.
func playRole(args []string) bool {
	if len(args) < 2 || args[0] != roleArgument || roles[args[1]] == nil {
		return false
	}
	runtime.LockOSThread()
	took, err := roles[args[1]](args[2:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench %v: %v\n", args, err)
		os.Exit(1)
	}
	fmt.Print(took)
	return true
}

// roleConnections makes, accepts and closes args[0] connections.
func roleConnections(args []string) (time.Duration, error) {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 0, err
	}
	if err := makeConnections(n / 10); err != nil { // until caches are warm
		return 0, err
	}
	begin := time.Now()
	err = makeConnections(n)
	return time.Since(begin), err
}

func makeConnections(n int) error {
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(l)
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	if err := unix.Listen(l, 16); err != nil {
		return err
	}
	to, err := unix.Getsockname(l)
	if err != nil {
		return err
	}
	for range n {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(c, to); err != nil {
			return err
		}
		// Not unix.Accept, which also asks for SO_PROTOCOL.
		var from unix.RawSockaddrAny
		size := uint32(unix.SizeofSockaddrAny)
		a, _, e := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(l), uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)),
			unix.SOCK_CLOEXEC, 0, 0)
		if e != 0 {
			return e
		}
		unix.Close(c)
		unix.Close(int(a))
	}
	return nil
}

// roleUpload writes args[0] times 64 KiB to args[1], and awaits a byte.
func roleUpload(args []string) (time.Duration, error) {
	n, fd, err := bulkTo(args)
	if err != nil {
		return 0, err
	}
	chunk := make([]byte, bulkSize)
	begin := time.Now()
	for range n {
		for rest := chunk; len(rest) > 0; {
			m, err := unix.Write(fd, rest)
			if err != nil {
				return 0, err
			}
			rest = rest[m:]
		}
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		return 0, err
	}
	if m, err := unix.Read(fd, chunk); m != 1 {
		return 0, fmt.Errorf("no byte at the end: %d, %v", m, err)
	}
	return time.Since(begin), nil
}

// roleDownload reads args[0] times 64 KiB from args[1].
func roleDownload(args []string) (time.Duration, error) {
	n, fd, err := bulkTo(args)
	if err != nil {
		return 0, err
	}
	chunk := make([]byte, bulkSize)
	begin := time.Now()
	for rest := n * bulkSize; rest > 0; {
		m, err := unix.Read(fd, chunk)
		if err != nil || m == 0 {
			return 0, fmt.Errorf("%d bytes are missing: %v", rest, err)
		}
		rest -= m
	}
	return time.Since(begin), nil
}

// bulkTo returns how often to write or read, and a socket connected to the other argument.
func bulkTo(args []string) (n, fd int, err error) {
	n, err = strconv.Atoi(args[0])
	if err != nil {
		return 0, 0, err
	}
	to, err := netip.ParseAddrPort(args[1])
	if err != nil {
		return 0, 0, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, 0, err
	}
	return n, fd, unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
}
