// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"testing"

	"dialtone/errno"
	"dialtone/personality"
)

// bsdLike returns a personality that differs from Linux's in each fact of AF_UNIX, as FreeBSD's and macOS's sources do
// (unp_connectat, unp_connect, sonewconn, unp_drop).
func bsdLike() *personality.Personality {
	p := *personality.Linux
	p.Stream.UnixLooksFirst = false
	p.Stream.Admits = func(backlog int) int { return 3*backlog/2 + 1 }
	p.Poll = personality.Poll{}
	p.Unix = personality.Unix{
		NoSeqPacket: errno.EPROTONOSUPPORT,
		PathMax:     104, WrongFamily: errno.EAFNOSUPPORT, NotSocket: errno.ENOTSOCK, NotSocketFirst: true,
		Full:         errno.ECONNREFUSED,
		MaxDatagrams: 10, DissolvesFirst: true, PeerGone: errno.ECONNRESET, Symlinks: 32,
	}
	return &p
}

func TestPersonalityDecides(t *testing.T) {
	for _, script := range []string{
		`	# the address
			socket q seqpacket = EPROTONOSUPPORT
			socket s stream
			connect s inet = EAFNOSUPPORT
			connect s @abstract = ENOENT
			bind s auto = EINVAL
			poll s = 0
			connect s /` + longName(101) + ` = ENOENT
			connect s /` + longName(104) + ` = EINVAL
		`, `	# not a socket comes before permission, the state before the path
			file /reg
			chmod /reg 000
			socket s stream
			as 1000 1000
			connect s /reg = ENOTSOCK
			as root
			socket l stream
			bind l /s
			listen l 2
			connect s /s = 0
			connect s /none = EISCONN
		`, `	# a full queue refuses at once, also who would wait
			socket l stream
			bind l /s
			listen l 2
			socket a stream
			connect a /s = 0
			socket a stream
			connect a /s = 0
			socket a stream
			connect a /s = 0
			socket a stream
			connect a /s = 0
			socket a stream
			connect a /s = ECONNREFUSED
		`, ab + `	# everyone is heard; a failed reconnect has dissolved
			connect a /b
			connect s /a = 0
			send s x = 1
			connect a /none = ENOENT
			peer a = ENOTCONN
			recv a = "x"
			connect s unspec = EAFNOSUPPORT
			peer s = ENOTCONN
		`, ab + `	# who is connected hears that the peer closed
			connect s /a
			connect b /a
			connect b /b
			close a
			error s = ECONNRESET
			send s x = ENOTCONN
			error b = 0
		`,
	} {
		newWorld(t, bsdLike()).run(script)
	}
}
