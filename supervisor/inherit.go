// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// noFile stands in syscall.ProcAttr.Files for "not open in the child".
const noFile = ^uintptr(0)

// inheritedFiles lists the descriptors that an exec would keep, each at its
// own number, as syscall.ProcAttr.Files wants them. Sockets that lead out of
// the virtual network are left out: a target never owns one.
func inheritedFiles() ([]uintptr, error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil, fmt.Errorf("list the own descriptors: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list the own descriptors: %w", err)
	}
	files := []uintptr{noFile, noFile, noFile}
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			return nil, fmt.Errorf("list the own descriptors: %w", err)
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 || leadsOut(fd) {
			continue
		}
		for len(files) <= fd {
			files = append(files, noFile)
		}
		files[fd] = uintptr(fd)
	}
	return files, nil
}

// aboveInherited is how many numbers above the highest inherited descriptor it
// takes to start keeper and shim with all descriptors in their places: our own
// two, and what syscall.ForkExec moves out of the way meanwhile.
const aboveInherited = 6

// roomAbove reports whether there are these numbers. The limit is the hard one:
// the Go runtime has raised the soft one to it, and lowers it again for the
// target.
func roomAbove(highest int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit(RLIMIT_NOFILE): %w", err)
	}
	if uint64(highest+aboveInherited) < limit.Cur {
		return nil
	}
	return &StartError{Status: 125, Reason: fmt.Sprintf(
		"descriptor %d is open, and %d numbers above it are needed, but the limit is %d (RLIMIT_NOFILE): close it, or raise the limit",
		highest, aboveInherited, limit.Cur)}
}

// leadsOut reports whether a descriptor reaches a network that the filter
// cannot watch: a socket of any family but AF_UNIX, or an io_uring.
func leadsOut(fd int) bool {
	if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && link == "anon_inode:[io_uring]" {
		return true
	}
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && family != unix.AF_UNIX
}
