// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"dialtone/errno"
	"dialtone/socket"
)

// deviceOption reports whether an option binds a socket to an interface.
func deviceOption(level, name int) bool {
	return level == socket.SolSocket && (name == socket.SoBindToDevice || name == socket.SoBindToIndex)
}

// setDevice binds a socket to an interface by its index (SO_BINDTOIFINDEX), which need not be there; by its name the socket does
// that itself, and is only told whether there is one (SO_BINDTODEVICE).
func (s *Stack) setDevice(call *socket.Call, sock *socket.Socket, name int, value []byte) errno.Errno {
	if name == socket.SoBindToDevice {
		if s.interfaceNamed(string(value)) == nil {
			return errno.ENODEV
		}
		return errno.OK
	}
	index := socket.IntValue(value)
	switch {
	case index < 0:
		return errno.EINVAL
	case !sock.MayRebind(call):
		return errno.EPERM
	}
	device := ""
	if i := s.interfaceIndexed(uint32(index)); i != nil {
		device = i.Name
	} else if index != 0 {
		device = socket.MissingDevice(uint32(index))
	}
	sock.Options().SetDevice(device)
	return errno.OK
}

// deviceIndex reads SO_BINDTOIFINDEX: 0 for none.
func (s *Stack) deviceIndex(sock *socket.Socket) []byte {
	if i := s.interfaceNamed(sock.Options().Device()); i != nil {
		return socket.Int(i.Index)
	}
	return socket.Int(int(sock.Options().MissingIndex()))
}
