// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"dialtone/errno"
	"dialtone/sockaddr"
)

// Refusing is an [Endpoint] that refuses every call with EOPNOTSUPP, as sock_no_connect and its kin do on Linux. An
// endpoint of a family that has few of the calls embeds it and defines those.
type Refusing struct{}

// Bind implements [Endpoint].
func (Refusing) Bind(*Call, []byte) errno.Errno { return errno.EOPNOTSUPP }

// Listen implements [Endpoint].
func (Refusing) Listen(*Call, int) errno.Errno { return errno.EOPNOTSUPP }

// Connect implements [Endpoint].
func (Refusing) Connect(*Call, []byte) errno.Errno { return errno.EOPNOTSUPP }

// Disconnect implements [Endpoint].
func (Refusing) Disconnect(*Call) errno.Errno { return errno.EOPNOTSUPP }

// Accept implements [Endpoint].
func (Refusing) Accept(*Call, *Socket) (Endpoint, errno.Errno) { return nil, errno.EOPNOTSUPP }

// Name implements [Endpoint].
func (Refusing) Name() sockaddr.Addr { return sockaddr.Addr{} }

// Peer implements [Endpoint].
func (Refusing) Peer() (sockaddr.Addr, errno.Errno) { return sockaddr.Addr{}, errno.EOPNOTSUPP }

// Send implements [Endpoint].
func (Refusing) Send(*Call, *Message) (int, errno.Errno) { return 0, errno.EOPNOTSUPP }

// Recv implements [Endpoint].
func (Refusing) Recv(*Call, *Message) (int, errno.Errno) { return 0, errno.EOPNOTSUPP }

// Shutdown implements [Endpoint].
func (Refusing) Shutdown(*Call, How) errno.Errno { return errno.EOPNOTSUPP }

// Option implements [Endpoint]: no option is known.
func (Refusing) Option(*Call, int, int) ([]byte, errno.Errno) { return nil, errno.ENOPROTOOPT }

// SetOption implements [Endpoint]: no option is known.
func (Refusing) SetOption(*Call, int, int, []byte) errno.Errno { return errno.ENOPROTOOPT }

// Ready implements [Endpoint].
func (Refusing) Ready() Events { return Out }

// Close implements [Endpoint].
func (Refusing) Close(*Call) {}
