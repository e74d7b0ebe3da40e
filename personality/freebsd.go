// SPDX-License-Identifier: Apache-2.0

package personality

import "dialtone/errno"

// FreeBSD answers as the sources of FreeBSD 13.0 say: kern/uipc_syscalls.c, uipc_socket.c, uipc_usrreq.c; netinet/in_pcb.c,
// tcp_usrreq.c, tcp_subr.c, tcp_timer.c, udp_usrreq.c. They were read, not run.
//
// Simplified: a connect that ip_output refuses leaves a fresh socket, not one whose SYN is sent again later; to 0.0.0.0 it
// connects, as before 15.0 (net.inet.ip.connect_inaddr_wild).
var FreeBSD = freeBSD()

func freeBSD() *Personality {
	p := &Personality{
		Name: "freebsd",
		// getsockaddr comes before getsock_cap.
		Call: Call{
			AddressFirst: true, AddressMax: 255, TooLong: errno.ENAMETOOLONG, AddressMin: 2, TooShort: errno.EINVAL,
		},
		Stream: Stream{
			// kern_connectat: EALREADY blocking or not. tcp_usr_connect: INP_DROPPED is ECONNREFUSED, and soconnectat has
			// thrown so_error away by then.
			Inet: ConnectTable{
				Fresh:      both(Rule{Action: Attempt}),
				Listening:  both(Rule{Refuse, errno.EOPNOTSUPP}),
				Connecting: both(Rule{Refuse, errno.EALREADY}),
				Deferred:   both(Rule{Refuse, errno.EISCONN}), // TCP_FASTOPEN_CONNECT is Linux's: as there
				Unreported: both(Rule{Refuse, errno.EISCONN}),
				Connected:  both(Rule{Refuse, errno.EISCONN}),
				Dead:       both(Rule{Forget, errno.ECONNREFUSED}),
			},
			Unix:         bsdUnixTable(),
			FailedIsDead: true, HidesNoted: true,
			// soshutdown calls tcp_usrclosed, which closes a pcb in SYN_SENT (inferred).
			ShutdownKills: true,
			// sonewconn: full is when qlen > 3*qlimit/2.
			Admits: func(backlog int) int { return 3*backlog/2 + 1 },
		},
		Poll: bsdPoll, TCP: bsdTCP(), UDP: bsdUDP(), Unix: bsdUnix(), IP: bsdIP(),
		ICMP4: bsdICMP4(errno.EHOSTUNREACH), ICMP6: bsdICMP6(errno.EHOSTUNREACH),
		Somaxconn:     128, // kern.ipc.soacceptqueue
		TCPSendBuffer: 32768, TCPReceiveBuffer: 65536, UDPSendBuffer: 9216, UDPReceiveBuffer: 42080,
	}
	p.TCP.PortsFirst, p.TCP.PortsLast = 10000, 65535 // IPPORT_EPHEMERALFIRST, IPPORT_EPHEMERALLAST
	p.TCP.Broadcast = errno.EACCES
	p.TCP.MappedRefused, p.UDP.MappedRefused = errno.EINVAL, errno.EINVAL
	p.Unix.PathMax = 104
	p.IP.NeighbourErrno = errno.EHOSTDOWN // arpresolve
	p.IP.V6Only = true                    // net.inet6.ip6.v6only, ip6(4)
	return p
}
