// SPDX-License-Identifier: Apache-2.0

package personality

import (
	"math"
	"time"

	"dialtone/errno"
)

// Darwin answers as the sources of XNU 11417 (macOS 15) say: bsd/kern/uipc_syscalls.c, uipc_socket.c, uipc_usrreq.c;
// bsd/netinet/in_pcb.c, tcp_usrreq.c, tcp_subr.c, tcp_timer.c, udp_usrreq.c. They were read, not run.
//
// Simplified: a connect that ip_output refuses leaves a fresh socket, not one whose SYN is sent again later; that the
// host's own packet filter answers EACCES is inferred.
var Darwin = darwin()

func darwin() *Personality {
	p := &Personality{
		Name: "darwin",
		// connect_nocancel: file_socket, then getsockaddr_s.
		Call: Call{
			SocketFirst: true, AddressMax: 255, TooLong: errno.ENAMETOOLONG, AddressMin: 2, TooShort: errno.EINVAL,
			NullAddress: errno.EINVAL,
		},
		Stream: Stream{
			// connectit: EALREADY if the socket does not block; else soconnectlock says EISCONN.
			// tcp_usr_connect: a dead pcb has so_error, else EINVAL.
			Inet: ConnectTable{
				Fresh:      both(Rule{Action: Attempt}),
				Listening:  both(Rule{Refuse, errno.EOPNOTSUPP}),
				Connecting: {Blocking: Rule{Refuse, errno.EISCONN}, NonBlocking: Rule{Refuse, errno.EALREADY}},
				Deferred:   both(Rule{Refuse, errno.EISCONN}), // TCP_FASTOPEN_CONNECT is Linux's: as there
				Unreported: both(Rule{Refuse, errno.EISCONN}),
				Connected:  both(Rule{Refuse, errno.EISCONN}),
				Dead:       both(Rule{ReportDead, errno.EINVAL}),
			},
			Unix:         bsdUnixTable(),
			FailedIsDead: true, HidesNoted: true,
			// soshutdown calls tcp_usrclosed, which closes a pcb in SYN_SENT (inferred).
			ShutdownKills: true,
			CloseAborts:   errno.ECONNABORTED, // SS_DRAINING
			// sonewconn_internal: full is when qlen >= qlimit. What 0 means was not read.
			Admits: func(backlog int) int { return max(backlog, 1) },
		},
		Poll: bsdPoll, TCP: bsdTCP(), UDP: bsdUDP(), Unix: bsdUnix(), IP: bsdIP(),
		ICMP4: bsdICMP4(errno.ENETUNREACH), ICMP6: bsdICMP6(errno.ENETUNREACH),
		Somaxconn:     128, // kern.ipc.somaxconn
		TCPSendBuffer: 131072, TCPReceiveBuffer: 131072, UDPSendBuffer: 9216, UDPReceiveBuffer: 786896,
	}
	const s = time.Second
	p.TCP.SynBackoff = []time.Duration{s, s, s, s, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s} // tcp_syn_backoff
	p.TCP.PortsFirst, p.TCP.PortsLast = 49152, 65535
	p.TCP.Broadcast = errno.EAFNOSUPPORT
	p.TCP.SelfConnect = errno.EINVAL
	p.TCP.BindsFirst = true                    // tcp_connect calls in_pcbbind before in_pcbladdr
	p.TCP.MappedRefused = errno.EAFNOSUPPORT   // tcp6_usr_connect
	p.UDP.MappedRefused = errno.ENETUNREACH    // udp6_connect takes it for an address of IPv6, which has no route
	p.Unix.PathMax = 253                       // sun_path has 104, but nobody checks
	p.Unix.UnspecIsUnix = true                 // unp_connect
	p.Unix.NoSeqPacket = errno.EPROTONOSUPPORT // uipc_proto.c has none; socreate
	p.IP.UnspecIsInet = true                   // getsockaddr_s
	// in_proto.c: everybody may have a SOCK_DGRAM of IPPROTO_ICMP.
	p.IP.PingGroups.First, p.IP.PingGroups.Last = 0, math.MaxUint32
	p.IP.NeighbourErrno = errno.EHOSTUNREACH
	return p
}
