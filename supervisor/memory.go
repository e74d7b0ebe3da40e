// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"golang.org/x/sys/unix"
)

// A target's memory is read and written by process_vm_readv(2) and
// process_vm_writev(2). The thread may die meanwhile and its number pass to
// another: a read counts only if the call is valid after it, a write is done
// only if the call is valid before it.

// read fills b from the caller's memory at addr. EFAULT: not all of it is
// mapped. ENOENT: the call is gone.
func (c *call) read(addr uint64, b []byte) unix.Errno {
	return c.readPieces([]unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, b)
}

// readBeforeWrite is read, which counts only if a write that follows succeeds.
func (c *call) readBeforeWrite(addr uint64, b []byte) unix.Errno {
	n, err := unix.ProcessVMReadv(c.tid,
		[]unix.Iovec{{Base: &b[0], Len: uint64(len(b))}},
		[]unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
	return c.transferred(n, err, len(b))
}

// readPieces is read of what lies in pieces.
func (c *call) readPieces(remote []unix.RemoteIovec, b []byte) unix.Errno {
	if len(b) == 0 {
		return 0
	}
	n, err := unix.ProcessVMReadv(c.tid, []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}, remote, 0)
	e := c.transferred(n, err, len(b))
	if e == 0 && !c.valid() {
		return c.leave()
	}
	return e
}

// writePieces is write to what lies in pieces.
func (c *call) writePieces(remote []unix.RemoteIovec, b []byte) unix.Errno {
	if len(b) == 0 {
		return 0
	}
	if !c.valid() {
		return c.leave()
	}
	n, err := unix.ProcessVMWritev(c.tid, []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}, remote, 0)
	return c.transferred(n, err, len(b))
}

// write copies b to the caller's memory at addr; errors as read.
func (c *call) write(addr uint64, b []byte) unix.Errno { return c.writeBoth(addr, b, 0, nil) }

// writeBoth copies two pieces to the caller's memory, at the cost of one.
func (c *call) writeBoth(addr1 uint64, b1 []byte, addr2 uint64, b2 []byte) unix.Errno {
	var local [2]unix.Iovec
	var remote [2]unix.RemoteIovec
	n := 0
	for _, p := range [...]struct {
		addr uint64
		b    []byte
	}{{addr1, b1}, {addr2, b2}} {
		if len(p.b) > 0 {
			local[n] = unix.Iovec{Base: &p.b[0], Len: uint64(len(p.b))}
			remote[n] = unix.RemoteIovec{Base: uintptr(p.addr), Len: len(p.b)}
			n++
		}
	}
	if n == 0 {
		return 0
	}
	if !c.valid() {
		return c.leave()
	}
	written, err := unix.ProcessVMWritev(c.tid, local[:n], remote[:n], 0)
	return c.transferred(written, err, len(b1)+len(b2))
}

// transferred judges the outcome of a transfer of want bytes.
func (c *call) transferred(n int, err error, want int) unix.Errno {
	switch {
	case err == nil && n == want:
		return 0
	case !c.valid():
		return c.leave()
	case err == unix.EPERM:
		c.target.sup.warnUnreachable(c.tid, "process_vm_readv")
		return unix.EPERM
	default: // EFAULT, or short at the end of the mapping
		return unix.EFAULT
	}
}

// leave notes that nobody waits for the call's answer any more.
func (c *call) leave() unix.Errno {
	c.gone = true
	return unix.ENOENT
}
