// SPDX-License-Identifier: Apache-2.0

package personality

import (
	"time"

	"dialtone/errno"
)

// What the systems that come from 4.4BSD have in common. Its sources are those of freebsd.go and darwin.go, which were
// read, not run.

// bsdPoll is sopoll_generic of kern/uipc_socket.c: soreadable and sowriteable ask so_error, and nothing sets POLLERR.
var bsdPoll = Poll{ErrorReads: true}

// bsdTCP is the part of TCP that follows from netinet/in_pcb.c and tcp_timer.h.
func bsdTCP() TCP {
	return TCP{
		// TCP_MAXRXTSHIFT; it is TCPTV_KEEP_INIT that ends an attempt first.
		SynRetries: 12, SynAckRetries: 3, Retries2: 12, KeepInit: 75 * time.Second,
		KeepIdle: 2 * time.Hour, KeepInterval: 75 * time.Second, KeepProbes: 8, // TCPTV_KEEP_IDLE, TCPTV_KEEPINTVL, TCPTV_KEEPCNT
		WindowScaling: true, Timestamps: true, SACK: true, // V_tcp_do_rfc1323, V_tcp_do_sack
		InitialRTO: time.Second, MinRTO: 30 * time.Millisecond, MaxRTO: 64 * time.Second,
		TimeWait: 60 * time.Second, DelayedACK: 100 * time.Millisecond, FinTimeout: 60 * time.Second,
		NoPort: errno.EADDRNOTAVAIL, TupleInUse: errno.EADDRINUSE, PortZero: errno.EADDRNOTAVAIL,
		Multicast: errno.EAFNOSUPPORT, SubnetBroadcast: errno.EACCES,
		// ip_output's error comes back through tcp_output as long as no SYN was received.
		Filtered: errno.EACCES,
		// tcp_notify: t_rxtshift > 3 and t_softerror.
		SoftRetries: 4,
	}
}

// bsdUDP is netinet/udp_usrreq.c. soconnect disconnects before the protocol sees the address; udp_disconnect clears the
// local address whoever set it. SO_BROADCAST is asked by ip_output alone, that is by send.
func bsdUDP() UDP {
	return UDP{
		NoPort: errno.EADDRNOTAVAIL, PortZero: errno.EADDRNOTAVAIL, TupleInUse: errno.EADDRINUSE, Filtered: errno.EACCES,
		DissolvesFirst: true, DissolvedToPort: true,
		BindsLast: true, // in_pcbladdr comes before in_pcb_lport_dest, or in_pcbbind
	}
}

// bsdUnix is kern/uipc_usrreq.c. Nothing waits for room; a datagram socket hears everyone.
func bsdUnix() Unix {
	return Unix{
		WrongFamily: errno.EAFNOSUPPORT, NotSocket: errno.ENOTSOCK, NotSocketFirst: true,
		Full: errno.ECONNREFUSED, MaxDatagrams: 10, DissolvesFirst: true,
		PeerGone: errno.ECONNRESET, // unp_drop
		// sbappendaddr finds no room. It counts bytes (net.local.dgram.recvspace), here they are datagrams.
		QueueFull: errno.ENOBUFS,
		Symlinks:  32, // MAXSYMLINKS
	}
}

// bsdIP is in_pcbladdr, and the neighbour look-ups of if_ether.c. ENETDOWN is the interface's output routine's.
func bsdIP() IP {
	return IP{
		NoRoute: errno.ENETUNREACH, Unreachable: errno.EHOSTUNREACH, Blackhole: errno.EINVAL, Prohibit: errno.EACCES,
		NoScope:   errno.ENXIO,                            // sa6_embedscope
		Protocols: 256, NoProtocol: errno.EPROTONOSUPPORT, // rip_attach, pffindproto
		RuleUnreachable: errno.ENETUNREACH, InterfaceDown: errno.ENETDOWN,
		ExactLength: true, AnyIsFirst: true,
		// There are no ping sockets: SOCK_DGRAM has UDP alone (in_proto.c).
		PingGroups: struct{ First, Last uint32 }{1, 0}, NoPing: errno.EPROTONOSUPPORT,
		// net.link.ether.inet.maxtries: 5 requests, one a second.
		NeighbourFails: 5 * time.Second, NeighbourQueue: 1,
		// arp(4): net.link.ether.inet.max_age. It counts from the last answer to a request, not from the last contact, and
		// IPv6 asks as Linux does; both are simplified here.
		NeighbourBelieved: 20 * time.Minute,
	}
}

// bsdUnixTable is the state table of AF_UNIX, which is asked before the path is looked up (soconnect).
func bsdUnixTable() ConnectTable {
	return ConnectTable{
		Fresh:     both(Rule{Action: Attempt}),
		Listening: both(Rule{Refuse, errno.EOPNOTSUPP}),
		Connected: both(Rule{Refuse, errno.EISCONN}),
	}
}

// bsdICMP4 is icmp_input and tcp_ctlinput of netinet: port, protocol and prohibited end an attempt at once, as does a
// lifetime that ran out; all other kinds of unreachable are one, soft. UDP hears all of them (udp_notify).
// Parameter problems were not read, and mean nothing here.
func bsdICMP4(unreachable Errno) func(typ, code uint8) (ICMPError, bool) {
	return func(typ, code uint8) (ICMPError, bool) {
		switch {
		case typ == 3 && code <= 15:
			switch code {
			case 2, 3, 9, 10, 13:
				return ICMPError{Errno: errno.ECONNREFUSED, TCP: true, UDP: true}, true
			case 4: // a smaller packet is needed
				return ICMPError{Errno: errno.EMSGSIZE, UDP: true}, true
			}
			return ICMPError{Errno: unreachable, TCP: true, UDP: true, Soft: true}, true
		case typ == 11 && code == 0:
			return ICMPError{Errno: errno.EHOSTUNREACH, TCP: true, UDP: true}, true
		}
		return ICMPError{}, false
	}
}

// bsdICMP6 has the same for IPv6, inferred from IPv4: netinet6 was not read for it.
func bsdICMP6(unreachable Errno) func(typ, code uint8) (ICMPError, bool) {
	return func(typ, code uint8) (ICMPError, bool) {
		switch {
		case typ == 1 && (code == 1 || code == 4): // prohibited, port
			return ICMPError{Errno: errno.ECONNREFUSED, TCP: true, UDP: true}, true
		case typ == 1:
			return ICMPError{Errno: unreachable, TCP: true, UDP: true, Soft: true}, true
		case typ == 2:
			return ICMPError{Errno: errno.EMSGSIZE, UDP: true}, true
		case typ == 3 && code == 0:
			return ICMPError{Errno: errno.EHOSTUNREACH, TCP: true, UDP: true}, true
		}
		return ICMPError{}, false
	}
}
