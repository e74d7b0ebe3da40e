// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"slices"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// maxSegments is how many datagrams one send makes at most (UDP_MAX_SEGMENTS, Linux 6.9).
const maxSegments = 128

// segmentSize is how many bytes each datagram of a send carries (UDP_SEGMENT, udp(7)); 0: it is one datagram.
func (d *datagram) segmentSize(own *ownOptions) int {
	if own != nil && own.segment >= 0 {
		return own.segment
	}
	return int(d.opts.segment)
}

// checksums reports whether the socket's datagrams bear a checksum (SO_NO_CHECK, UDP_NO_CHECK6_TX).
func (d *datagram) checksums(is4 bool) bool {
	if is4 {
		return !d.sock.Options().NoCheck()
	}
	return d.opts.kept(storedKey{solUDP, udpNoCheck6Tx}) == 0
}

// sendSegments sends data in datagrams of so many bytes each, but for the last, if they fit the way and bear a checksum
// (udp_send_skb). A receiver gets them one by one: with UDP_GRO, too, which joins them again on Linux.
func (d *datagram) sendSegments(call *socket.Call, m *socket.Message, data []byte, to *sockaddr.Addr, w *path, own *ownOptions, size int) (int, errno.Errno) {
	mtu := w.out.MTU()
	if d.opts.discovery(to.IP.Is4()) < pmtuProbe {
		mtu = d.stack.mtuTo(to.IP, mtu)
	}
	switch {
	case headerLen(to.IP)+udpHeader+min(size, len(data)) > mtu:
		return 0, errno.EMSGSIZE
	case len(data) > size*maxSegments, !d.checksums(to.IP.Is4()):
		return 0, errno.EINVAL
	case d.sock.Protocol == int32(wire.UDPLite):
		return 0, errno.EIO
	case len(data) == 0:
		return d.sendUDP(call, m, nil, to, w, own)
	}
	for part := range slices.Chunk(data, size) {
		if _, e := d.sendUDP(call, m, part, to, w, own); e != errno.OK {
			return 0, e
		}
	}
	return len(m.Data), errno.OK
}
