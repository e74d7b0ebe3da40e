// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"dialtone/errno"
	"dialtone/socket"
)

// Option implements [socket.Endpoint]: SO_PEERCRED, a struct ucred, which is PID 0 and IDs of -1 without a peer. A client
// is told who called listen (unix(7)).
func (e *endpoint) Option(_ *socket.Call, level, name int) ([]byte, errno.Errno) {
	switch {
	case level != socket.SolSocket:
		return nil, errno.EOPNOTSUPP
	case name != socket.SoPeerCred:
		return nil, errno.ENOPROTOOPT
	}
	return e.peerCred.Ucred(), errno.OK
}

// SetOption implements [socket.Endpoint]: AF_UNIX has no level and no option of its own to set.
func (e *endpoint) SetOption(_ *socket.Call, level, _ int, _ []byte) errno.Errno {
	if level != socket.SolSocket {
		return errno.EOPNOTSUPP
	}
	return errno.ENOPROTOOPT
}
