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

// readHeader copies the msghdr at ptr, and its iovecs.
func (c *call) readHeader(ptr uint64) (*header, unix.Errno) {
	h, v, e := c.readFields(ptr)
	if e == 0 {
		h.iov, e = c.readIovecs(v)
	}
	return h, e
}

// readFields copies the msghdr at ptr, and tells where its iovecs are.
func (c *call) readFields(ptr uint64) (*header, iovec, unix.Errno) {
	if c.compat {
		return c.readFields32(ptr)
	}
	var b [headerSize]byte
	if e := c.read(ptr, b[:]); e != 0 {
		return nil, iovec{}, e
	}
	u64 := binary.LittleEndian.Uint64
	return &header{
		name: u64(b[0:]), nameLen: binary.LittleEndian.Uint32(b[8:]),
		control: u64(b[32:]), controlLen: u64(b[40:]),
		nameLenAt: ptr + 8, controlLenAt: ptr + 40, flagsAt: ptr + 48, controlLenSize: 8,
	}, iovec{u64(b[16:]), u64(b[24:])}, 0
}

func (c *call) readFields32(ptr uint64) (*header, iovec, unix.Errno) {
	var b [headerSize32]byte
	if e := c.read(ptr, b[:]); e != 0 {
		return nil, iovec{}, e
	}
	u32 := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
	return &header{
		name: u32(0), nameLen: uint32(u32(4)), control: u32(16), controlLen: u32(20),
		nameLenAt: ptr + 4, controlLenAt: ptr + 20, flagsAt: ptr + 24, controlLenSize: 4,
	}, iovec{u32(8), u32(12)}, 0
}

// readIovecs copies as many iovecs as v.len says.
func (c *call) readIovecs(v iovec) ([]iovec, unix.Errno) {
	if v.len > maxIovecs {
		return nil, unix.EMSGSIZE
	}
	size := 16
	if c.compat {
		size = 8
	}
	b := make([]byte, int(v.len)*size)
	if e := c.read(v.base, b); e != 0 {
		return nil, e
	}
	iov := make([]iovec, 0, v.len)
	for ; len(b) > 0; b = b[size:] {
		v := iovec{base: uint64(binary.LittleEndian.Uint32(b)), len: uint64(binary.LittleEndian.Uint32(b[4:]))}
		if size == 16 {
			v = iovec{base: binary.LittleEndian.Uint64(b), len: binary.LittleEndian.Uint64(b[8:])}
		}
		if int64(v.len) < 0 {
			return nil, unix.EINVAL
		}
		iov = append(iov, v)
	}
	return iov, 0
}

// A quota is what one sendmmsg or recvmmsg may still move. Both may end early
// (sendmmsg(2)), and do, lest one program holds up the others.
type quota struct {
	bytes, pieces int
}

func newQuota() quota { return quota{bytes: maxMessage, pieces: maxIovecs} }

// take takes a message of n bytes off the quota.
func (q *quota) take(n int, iov []iovec) {
	q.bytes -= n
	q.pieces -= len(iov)
}

func (q *quota) left() bool { return q.bytes > 0 && q.pieces > 0 }

// total returns how many bytes the pieces hold, most at the most.
func total(iov []iovec, most int) int {
	n := uint64(0)
	for _, v := range iov {
		n = min(n+v.len, uint64(most))
	}
	return int(n)
}

// pieces appends the first n bytes of iov to remote, for one transfer of all of
// them. There are no more than maxIovecs, which is as many as one takes
// (IOV_MAX).
func pieces(remote []unix.RemoteIovec, iov []iovec, n int) []unix.RemoteIovec {
	for _, v := range iov {
		k := min(v.len, uint64(n))
		if k > 0 {
			remote = append(remote, unix.RemoteIovec{Base: uintptr(v.base), Len: int(k)})
		}
		n -= int(k)
	}
	return remote
}

// gather reads the pieces' first bytes, most at the most.
func (c *call) gather(iov []iovec, most int) ([]byte, unix.Errno) {
	b := make([]byte, total(iov, most))
	var few [4]unix.RemoteIovec
	return b, c.readPieces(pieces(few[:0], iov, len(b)), b)
}

// scatter writes b to the pieces. What they have no room for is left out.
func (c *call) scatter(iov []iovec, b []byte) unix.Errno {
	b = b[:total(iov, len(b))]
	var few [4]unix.RemoteIovec
	return c.writePieces(pieces(few[:0], iov, len(b)), b)
}

// writeUint stores n in size bytes.
func (c *call) writeUint(ptr uint64, n uint64, size int) unix.Errno {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return c.write(ptr, b[:size])
}
