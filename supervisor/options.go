// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"encoding/binary"
	"slices"

	"dialtone/errno"
	"dialtone/socket"

	"golang.org/x/sys/unix"
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// maxOption is more than any option's value that the layer knows.
const maxOption = 4096

// getsockopt serves getsockopt(2).
func (s *Supervisor) getsockopt(c *call, h *hosted) {
	level, name := int(int32(c.args[1])), int(int32(c.args[2]))
	if level == unix.SOL_SOCKET && slices.Contains(nativeGetOptions, uint32(name)) {
		c.proceed() // only a 32-bit program's call comes here
		return
	}
	var b [4]byte
	if e := c.read(c.args[4], b[:]); e != 0 {
		c.fail(e)
		return
	}
	room := int(int32(le32(b[:])))
	if room < 0 {
		c.fail(unix.EINVAL)
		return
	}
	value, e := h.option(c, level, name)
	if e != 0 {
		c.fail(e)
		return
	}
	if level == unix.SOL_SOCKET && name == unix.SO_PEERSEC && room < len(value) {
		// selinux_socket_getpeersec_stream tells the length that is needed.
		if e := c.writeUint(c.args[4], uint64(len(value)), 4); e != 0 {
			c.fail(e)
			return
		}
		c.fail(unix.ERANGE)
		return
	}
	value = value[:min(room, len(value))]
	if e := c.write(c.args[3], value); e != 0 {
		c.fail(e)
		return
	}
	if e := c.writeUint(c.args[4], uint64(len(value)), 4); e != 0 {
		c.fail(e)
		return
	}
	c.conclude(0, 0)
}

// option reads an option: of the layer, but for errors met on the bytes' way.
func (h *hosted) option(c *call, level, name int) ([]byte, unix.Errno) {
	if h.sock == nil {
		return h.netlinkOption(level, name)
	}
	if level == unix.SOL_SOCKET && name == unix.SO_ERROR {
		if e := h.takeError(c.dup); e != 0 {
			return socket.Int(int(e)), 0
		}
		if native := takeNativeError(c.dup); h.phase == direct {
			// A reset is the peer's T's, and may have been read; the layer's own tells of the same.
			_, e := h.sock.Option(c.layerCall(), level, name)
			return socket.Int(int(native)), unix.Errno(e)
		}
	}
	value, e := h.sock.Option(c.layerCall(), level, name)
	if e == errno.OK && h.phase == direct && level == unix.IPPROTO_TCP && name == unix.TCP_NODELAY {
		value = socket.Int(1) // that is how AF_UNIX sends, and a program that has set it wants to read it
	}
	return value, unix.Errno(e)
}

// setsockopt serves setsockopt(2).
func (s *Supervisor) setsockopt(c *call, h *hosted) {
	level, name := int(int32(c.args[1])), int(int32(c.args[2]))
	switch {
	case level == unix.SOL_SOCKET && slices.Contains(nativeOptions, uint32(name)):
		c.proceed() // only a 32-bit program's call comes here
		return
	case level == unix.IPPROTO_TCP && slices.Contains(undoneTCPOptions, uint32(name)):
		c.succeed(0) // likewise
		return
	case h.sock == nil:
		c.succeed(0)
		return
	case level == unix.IPPROTO_TCP && name == unix.TCP_FASTOPEN_CONNECT:
		c.fail(unix.EOPNOTSUPP) // see sendStream
		return
	}
	buffer := level == unix.SOL_SOCKET && (name == unix.SO_SNDBUF || name == unix.SO_RCVBUF)
	if buffer && h.sock.Type == socket.Stream {
		c.proceed() // its bytes wait in T
		return
	}
	n := int(int32(c.args[4]))
	if n < 0 {
		c.fail(unix.EINVAL)
		return
	}
	value := make([]byte, min(n, maxOption))
	if e := c.read(c.args[3], value); e != 0 {
		c.fail(e)
		return
	}
	if e := h.sock.SetOption(c.layerCall(), level, name, value); e != errno.OK {
		c.fail(unix.Errno(e))
		return
	}
	if level == unix.SOL_SOCKET && name == unix.SO_LINGER {
		h.keepForReset(c.dup)
	}
	if buffer {
		c.proceed() // datagrams wait in the layer's queue and in T's
		return
	}
	c.succeed(0)
}

// setOption sets an option of the layer's socket on the supervisor's own
// account. That can't fail, so failing is told as the mistake of ours that it
// is: no policy is asked, the socket is open as long as h is known, and level,
// name and value are ones the layer has.
func (h *hosted) setOption(level, name int, value []byte) {
	if e := h.sock.SetOption(ownCall(), level, name, value); e != errno.OK {
		h.sup.warn("an option (level %d, name %d) could not be set: %v", level, name, e)
	}
}
