// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// header is a struct msghdr of the target, either ABI's.
type header struct {
	name       uint64
	nameLen    uint32
	iov        []iovec
	control    uint64
	controlLen uint64

	// Where results go.
	nameLenAt, controlLenAt, flagsAt uint64
	controlLenSize                   int
}

// iovec is a piece of the target's memory.
type iovec struct {
	base, len uint64
}

// Sizes of struct msghdr and mmsghdr.
const (
	headerSize    = 56
	headerSize32  = 28
	mmsghdrSize   = 64
	mmsghdrSize32 = 32
)

const (
	maxIovecs  = 1024    // UIO_MAXIOV: more is EMSGSIZE
	maxMessage = 1 << 20 // bytes moved by one emulated call on a stream; it may move fewer than asked
)

// readHeader copies the msghdr at ptr.
func (c *call) readHeader(ptr uint64) (*header, unix.Errno) {
	if c.compat {
		return c.readHeader32(ptr)
	}
	var b [headerSize]byte
	if e := c.read(ptr, b[:]); e != 0 {
		return nil, e
	}
	u64 := binary.LittleEndian.Uint64
	h := &header{
		name: u64(b[0:]), nameLen: binary.LittleEndian.Uint32(b[8:]),
		control: u64(b[32:]), controlLen: u64(b[40:]),
		nameLenAt: ptr + 8, controlLenAt: ptr + 40, flagsAt: ptr + 48, controlLenSize: 8,
	}
	return h, c.readIovecs(h, u64(b[16:]), u64(b[24:]), 16)
}

func (c *call) readHeader32(ptr uint64) (*header, unix.Errno) {
	var b [headerSize32]byte
	if e := c.read(ptr, b[:]); e != 0 {
		return nil, e
	}
	u32 := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
	h := &header{
		name: u32(0), nameLen: uint32(u32(4)), control: u32(16), controlLen: u32(20),
		nameLenAt: ptr + 4, controlLenAt: ptr + 20, flagsAt: ptr + 24, controlLenSize: 4,
	}
	return h, c.readIovecs(h, u32(8), u32(12), 8)
}

// readIovecs copies n iovecs of size bytes each.
func (c *call) readIovecs(h *header, ptr, n uint64, size int) unix.Errno {
	if n > maxIovecs {
		return unix.EMSGSIZE
	}
	b := make([]byte, int(n)*size)
	if e := c.read(ptr, b); e != 0 {
		return e
	}
	for ; len(b) > 0; b = b[size:] {
		v := iovec{base: uint64(binary.LittleEndian.Uint32(b)), len: uint64(binary.LittleEndian.Uint32(b[4:]))}
		if size == 16 {
			v = iovec{base: binary.LittleEndian.Uint64(b), len: binary.LittleEndian.Uint64(b[8:])}
		}
		if int64(v.len) < 0 {
			return unix.EINVAL
		}
		h.iov = append(h.iov, v)
	}
	return 0
}

// total returns how many bytes the pieces hold, most at the most.
func total(iov []iovec, most int) int {
	n := uint64(0)
	for _, v := range iov {
		n = min(n+v.len, uint64(most))
	}
	return int(n)
}

// gather reads the pieces' first bytes, most at the most.
func (c *call) gather(iov []iovec, most int) ([]byte, unix.Errno) {
	b := make([]byte, total(iov, most))
	rest := b
	for _, v := range iov {
		n := min(v.len, uint64(len(rest)))
		if e := c.read(v.base, rest[:n]); e != 0 {
			return nil, e
		}
		rest = rest[n:]
	}
	return b, 0
}

// scatter writes b to the pieces.
func (c *call) scatter(iov []iovec, b []byte) unix.Errno {
	for _, v := range iov {
		n := min(v.len, uint64(len(b)))
		if e := c.write(v.base, b[:n]); e != 0 {
			return e
		}
		b = b[n:]
	}
	return 0
}

// writeUint stores n in size bytes.
func (c *call) writeUint(ptr uint64, n uint64, size int) unix.Errno {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return c.write(ptr, b[:size])
}
