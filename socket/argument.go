// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// File is what an open descriptor leads to.
type File interface {
	// Socket returns the socket, nil if the file is none.
	Socket() *Socket
}

// Socket implements [File]: a socket leads to itself.
func (s *Socket) Socket() *Socket { return s }

// argument looks at the descriptor and copies the address, in the order of the system: each may have an error, and
// which one the caller gets depends on who looks first.
func argument(p *personality.Personality, f File, raw sockaddr.Raw) (addr []byte, s *Socket, e errno.Errno) {
	if p.Call.AddressFirst {
		if addr, e = copyAddress(p, raw); e != errno.OK {
			return nil, nil, e
		}
		s, e = socketOf(f)
		return addr, s, e
	}
	if f == nil {
		return nil, nil, errno.EBADF
	}
	if p.Call.SocketFirst {
		if s, e = socketOf(f); e != errno.OK {
			return nil, nil, e
		}
		addr, e = copyAddress(p, raw)
		return addr, s, e
	}
	if addr, e = copyAddress(p, raw); e != errno.OK {
		return nil, nil, e
	}
	s, e = socketOf(f)
	return addr, s, e
}

// copyAddress copies an address out of the caller's memory: length first, then the pointer.
func copyAddress(p *personality.Personality, raw sockaddr.Raw) ([]byte, errno.Errno) {
	switch {
	case raw.Len < 0:
		return nil, errno.EINVAL
	case raw.Len > p.Call.AddressMax:
		return nil, p.Call.TooLong
	case raw.Len < p.Call.AddressMin:
		return nil, p.Call.TooShort
	case raw.Null() && raw.Len > 0 && p.Call.NullAddress != errno.OK:
		return nil, p.Call.NullAddress
	}
	b, ok := raw.Copy()
	if !ok {
		return nil, errno.EFAULT
	}
	return b, errno.OK
}

func socketOf(f File) (*Socket, errno.Errno) {
	if f == nil {
		return nil, errno.EBADF
	}
	s := f.Socket()
	if s == nil {
		return nil, errno.ENOTSOCK
	}
	return s, errno.OK
}
