// SPDX-License-Identifier: Apache-2.0

package personality

import (
	"time"

	"dialtone/errno"
)

// Linux answers as Linux 6.18 was seen to do by experiment (conformance/cases). The defaults of the sysctls are those
// of Documentation/networking/ip-sysctl.rst.
var Linux = &Personality{
	Name:     "linux",
	Families: []uint16{16, 17, 40}, // AF_NETLINK, AF_PACKET, AF_VSOCK
	Call:     Call{AddressMax: 128, TooLong: errno.EINVAL},
	Stream: Stream{
		// The state machine of inet_stream_connect, as seen from outside.
		Inet: ConnectTable{
			Fresh:      both(Rule{Action: Attempt}),
			Listening:  both(Rule{Refuse, errno.EISCONN}),
			Connecting: {Blocking: Rule{Wait, errno.EALREADY}, NonBlocking: Rule{Refuse, errno.EALREADY}},
			Deferred:   {Blocking: Rule{Wait, errno.EISCONN}, NonBlocking: Rule{Refuse, errno.EISCONN}},
			Unreported: both(Rule{Action: Succeed}),
			Connected:  both(Rule{Refuse, errno.EISCONN}),
			Failed:     both(Rule{Report, errno.ECONNABORTED}),
			Dead:       both(Rule{Refuse, errno.EINVAL}),
		},
		// unix_stream_connect asks only after it has found the peer.
		Unix: ConnectTable{
			Fresh:     both(Rule{Action: Attempt}),
			Listening: both(Rule{Refuse, errno.EINVAL}),
			Connected: both(Rule{Refuse, errno.EISCONN}),
		},
		UnixLooksFirst:  true,
		UnspecDissolves: true,
		SendTimeout:     errno.EINPROGRESS,
		// Since 6.7: __inet_stream_connect and sk_wait_event count disconnects.
		DissolvedMeanwhile: errno.EPIPE,
		Restarts:           true,
		// sk_acceptq_is_full, unix_recvq_full: full is when more wait than the backlog says.
		Admits: func(backlog int) int { return backlog + 1 },
	},
	Poll: Poll{FreshHangup: true},
	TCP: TCP{
		SynRetries: 6, SynLinearTimeouts: 4, SynAckRetries: 5, Retries2: 15,
		KeepIdle: 2 * time.Hour, KeepInterval: 75 * time.Second, KeepProbes: 9,
		WindowScaling: true, Timestamps: true, SACK: true,
		InitialRTO: time.Second, MinRTO: 200 * time.Millisecond, MinVariance: 200 * time.Millisecond, MaxRTO: 120 * time.Second,
		TimeWait: 60 * time.Second, DelayedACK: 40 * time.Millisecond, QuickACKs: 16, FinTimeout: 60 * time.Second,
		PortsFirst: 32768, PortsLast: 60999,
		NoPort: errno.EADDRNOTAVAIL, TupleInUse: errno.EADDRNOTAVAIL,
		Multicast: errno.ENETUNREACH, Broadcast: errno.ENETUNREACH, SubnetBroadcast: errno.ENETUNREACH,
		MappedRefused: errno.ENETUNREACH,
		NoteOnly:      true, QueuesICMP4: true, MappedSticks: true, Multipath: true, ResetOnUnread: true,
	},
	UDP: UDP{
		NoPort: errno.EAGAIN, Broadcast: errno.EACCES, MappedRefused: errno.ENETUNREACH, Filtered: errno.EPERM,
		TakesInet: true, KeepsSource: true, UnspecDissolves: true,
	},
	Unix: Unix{
		PathMax: 108, Abstract: true,
		WrongFamily: errno.EINVAL, NotSocket: errno.ECONNREFUSED,
		FullWaits: true, Full: errno.EAGAIN,
		MaxDatagrams: 10, NotPeer: errno.EPERM, UnspecDissolves: true, Symlinks: 40,
	},
	IP: IP{
		NoRoute: errno.ENETUNREACH, Unreachable: errno.EHOSTUNREACH, Blackhole: errno.EINVAL, Prohibit: errno.EACCES,
		NoScope:   errno.ENODEV,                  // __inet6_bind
		Protocols: 263, NoProtocol: errno.EINVAL, // inet_create: IPPROTO_MAX, the last is IPPROTO_MPTCP
		RuleUnreachable: errno.ENETUNREACH, DownLosesIPv6: true,
		// ping_group_range's default is that nobody has them (ip-sysctl.rst).
		RawProtocol: true, PingGroups: struct{ First, Last uint32 }{1, 0}, NoPing: errno.EACCES,
		// Three probes a second apart (neigh/default/mcast_solicit, retrans_time_ms).
		NeighbourFails: 3 * time.Second, NeighbourErrno: errno.EHOSTUNREACH, NeighbourQueue: 101,
		// base_reachable_time_ms, of which each neighbour draws between a half and one and a half; then delay_first_probe_time
		// and ucast_solicit times retrans_time_ms.
		NeighbourBelieved: 30 * time.Second, NeighbourProbed: 8 * time.Second,
	},
	ICMP4: linuxICMP4, ICMP6: linuxICMP6,
	Somaxconn: 4096,
	// The second and third of tcp_wmem and tcp_rmem (ip-sysctl.rst; 6 MiB before Linux 6.17).
	TCPSendBuffer: 16384, TCPSendBufferMost: 4 << 20, TCPReceiveBuffer: 131072, TCPReceiveBufferMost: 32 << 20,
	UDPSendBuffer: 212992, UDPReceiveBuffer: 212992,
}

func both(r Rule) struct{ Blocking, NonBlocking Rule } {
	return struct{ Blocking, NonBlocking Rule }{r, r}
}

// linuxICMP4 is icmp_err_convert: by experiment, every mapped error ends a connection attempt; a datagram socket hears
// only the fatal ones unless it asked for all (IP_RECVERR).
func linuxICMP4(typ, code uint8) (ICMPError, bool) {
	switch typ {
	case 3: // destination unreachable
		if int(code) >= len(linuxUnreachable4) {
			return ICMPError{}, false
		}
		return linuxUnreachable4[code], true
	case 11: // time exceeded
		return ICMPError{Errno: errno.EHOSTUNREACH, TCP: code == 0}, code == 0
	case 12: // parameter problem
		return ICMPError{Errno: errno.EPROTO, TCP: true, UDP: true}, true
	}
	return ICMPError{}, false
}

var linuxUnreachable4 = [...]ICMPError{
	0:  {Errno: errno.ENETUNREACH, TCP: true},
	1:  {Errno: errno.EHOSTUNREACH, TCP: true},
	2:  {Errno: errno.ENOPROTOOPT, TCP: true, UDP: true},
	3:  {Errno: errno.ECONNREFUSED, TCP: true, UDP: true},
	4:  {Errno: errno.EMSGSIZE, UDP: true},
	5:  {Errno: errno.EOPNOTSUPP, TCP: true},
	6:  {Errno: errno.ENETUNREACH, TCP: true, UDP: true},
	7:  {Errno: errno.EHOSTDOWN, TCP: true, UDP: true},
	8:  {Errno: errno.ENONET, TCP: true, UDP: true},
	9:  {Errno: errno.ENETUNREACH, TCP: true, UDP: true},
	10: {Errno: errno.EHOSTUNREACH, TCP: true, UDP: true},
	11: {Errno: errno.ENETUNREACH, TCP: true},
	12: {Errno: errno.EHOSTUNREACH, TCP: true},
	13: {Errno: errno.EHOSTUNREACH, TCP: true, UDP: true},
	14: {Errno: errno.EHOSTUNREACH, TCP: true, UDP: true},
	15: {Errno: errno.EHOSTUNREACH, TCP: true, UDP: true},
}

// linuxICMP6 is icmpv6_err_convert.
func linuxICMP6(typ, code uint8) (ICMPError, bool) {
	switch typ {
	case 1: // destination unreachable
		if int(code) >= len(linuxUnreachable6) {
			return ICMPError{Errno: errno.EPROTO, TCP: true, UDP: true}, true
		}
		return linuxUnreachable6[code], true
	case 2: // packet too big
		return ICMPError{Errno: errno.EMSGSIZE, UDP: true}, true
	case 3: // time exceeded
		return ICMPError{Errno: errno.EHOSTUNREACH, TCP: true}, true
	case 4: // parameter problem
		return ICMPError{Errno: errno.EPROTO, TCP: true, UDP: true}, true
	}
	return ICMPError{}, false
}

var linuxUnreachable6 = [...]ICMPError{
	0: {Errno: errno.ENETUNREACH, TCP: true},
	1: {Errno: errno.EACCES, TCP: true, UDP: true},
	2: {Errno: errno.EHOSTUNREACH, TCP: true},
	3: {Errno: errno.EHOSTUNREACH, TCP: true},
	4: {Errno: errno.ECONNREFUSED, TCP: true, UDP: true},
	5: {Errno: errno.EACCES, TCP: true, UDP: true},
	6: {Errno: errno.EACCES, TCP: true, UDP: true},
}
