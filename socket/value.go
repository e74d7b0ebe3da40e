// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"encoding/binary"
	"math"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
)

// Int returns an option's value that is a C int.
func Int(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(int32(n))) }

// Bool returns an option's value that is a C int, 0 or 1.
func Bool(b bool) []byte {
	if b {
		return Int(1)
	}
	return Int(0)
}

// IntValue returns the C int at the beginning of value, which must have 4 bytes.
func IntValue(value []byte) int { return int(int32(binary.LittleEndian.Uint32(value))) }

// timeval returns d as a struct timeval of 64-bit seconds and microseconds.
func timeval(d time.Duration) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(d/time.Second))
	return binary.LittleEndian.AppendUint64(b, uint64(d%time.Second/time.Microsecond))
}

// Timeval returns d as SO_SNDTIMEO and SO_RCVTIMEO take it.
func Timeval(d time.Duration) []byte { return timeval(d) }

// setTimeval sets a timeout from a struct timeval. Microseconds of a second or more are EDOM, a negative time is no time
// at all to wait: both as sock_set_timeout has it.
func setTimeval(d *time.Duration, value []byte) errno.Errno {
	if len(value) < 16 {
		return errno.EINVAL
	}
	sec, usec := int64(binary.LittleEndian.Uint64(value)), int64(binary.LittleEndian.Uint64(value[8:]))
	switch {
	case usec < 0 || usec >= 1e6:
		return errno.EDOM
	case sec < 0:
		*d = 1 // the shortest there is
	case sec >= int64(forever/time.Second):
		*d = 0 // for ever
	default:
		*d = time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond
	}
	return errno.OK
}

// The least that SO_SNDBUF and SO_RCVBUF can be set to, in bytes as they read back: seen on Linux 6.18.
const (
	minSendBuffer    = 4608
	minReceiveBuffer = 2304
)

// doubled returns the buffer size that setting n makes: Linux doubles it for its bookkeeping (socket(7)), within limits
// (net.core.wmem_max and rmem_max).
func doubled(n, least int) int32 {
	const most = 4 << 20 // their defaults, seen on Linux 6.18; 212992 on older ones
	if n < 0 {
		n = most // it is compared as an unsigned number
	}
	return forced(min(n, most), least)
}

// forced is doubled without the limit above (SO_SNDBUFFORCE, SO_RCVBUFFORCE). A negative number is 0.
func forced(n, least int) int32 {
	return int32(min(max(2*n, least), math.MaxInt32-1))
}

// SendBuffer is SO_SNDBUF in force, in bytes; a TCP socket that has not set it asks its connection.
func (s *Socket) SendBuffer() int {
	if s.opts.SendBuffer > 0 {
		return int(s.opts.SendBuffer)
	}
	return s.Core.Personality.UDPSendBuffer
}

func (s *Socket) isTCP() bool {
	return s.Type == Stream && (s.Family == sockaddr.Inet || s.Family == sockaddr.Inet6)
}

// ReceiveBuffer is SO_RCVBUF in force, in bytes; a TCP socket that has not set it asks its host.
func (s *Socket) ReceiveBuffer() int {
	if s.opts.ReceiveBuffer > 0 {
		return int(s.opts.ReceiveBuffer)
	}
	return s.Core.Personality.UDPReceiveBuffer
}
