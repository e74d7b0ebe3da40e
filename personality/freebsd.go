// SPDX-License-Identifier: Apache-2.0

package personality

import "dialtone/errno"

// FreeBSD answers as the sources of FreeBSD 13.0 say: kern/uipc_syscalls.c, uipc_socket.c, uipc_usrreq.c; netinet/in_pcb.c,
// tcp_usrreq.c, tcp_subr.c, tcp_timer.c, udp_usrreq.c. They were read, not run.
//
// Simplified: a connect that ip_output refuses leaves a fresh socket, not one whose SYN is sent again later; of a dead socket
// the address's family is looked at, too, as in the sources of 15.
//
// Not here: LOCAL_CONNWAIT (uipc_usrreq.c: a connect of AF_UNIX waits for accept), an option that no program of another
// system can set; and what 15.0 does by default with 0.0.0.0 as destination, which it refuses (release notes;
// net.inet.ip.connect_inaddr_wild), with an errno that was not read: here it is 13's, the first interface's address.
var FreeBSD = freeBSD()

func freeBSD() *Personality {
	p := &Personality{
		Name: "freebsd",
		// getsockaddr comes before getsock_cap.
		Call: Call{
			AddressFirst: true, AddressMax: 255, TooLong: errno.ENAMETOOLONG, AddressMin: 2, TooShort: errno.EINVAL,
		},
		Stream: Stream{
			// kern_connectat: EALREADY blocking or not. soconnectat throws so_error away; tcp_usr_connect looks at the
			// length, then for multicast and broadcast, then at INP_TIMEWAIT and INP_DROPPED.
			Inet: ConnectTable{
				Fresh:      both(Rule{Action: Attempt}),
				Listening:  both(Rule{Refuse, errno.EOPNOTSUPP}),
				Connecting: both(Rule{Refuse, errno.EALREADY}),
				Deferred:   both(Rule{Refuse, errno.EISCONN}), // TCP_FASTOPEN_CONNECT is Linux's: as there
				Unreported: both(Rule{Refuse, errno.EISCONN}),
				Connected:  both(Rule{Refuse, errno.EISCONN}),
				Dead:       both(Rule{Action: Examine}),
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
	p.TCP.WhenDead, p.TCP.InTimeWait = errno.ECONNREFUSED, errno.EADDRINUSE // tcp_twstart calls soisdisconnected
	p.TCP.MappedRefused, p.UDP.MappedRefused = errno.EINVAL, errno.EINVAL
	p.Unix.PathMax = 104
	p.IP.NeighbourErrno = errno.EHOSTDOWN // arpresolve
	p.IP.V6Only = true                    // net.inet6.ip6.v6only, ip6(4)
	return p
}
