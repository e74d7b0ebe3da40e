// SPDX-License-Identifier: Apache-2.0

// Package personality holds how one operating system answers: a table of named facts, one file per system, each fact
// with its source. Code asks the table; it never asks which system it is. Adding a system is adding a file.
package personality

import (
	"time"

	"dialtone/errno"
)

// Errno is short for the errors of the table.
type Errno = errno.Errno

// Personality is how one system answers. Its values are shared and never changed.
type Personality struct {
	Name string
	// Families are the address families beside AF_UNIX, AF_INET and AF_INET6, in Linux's numbers.
	Families []uint16

	Call   Call
	Stream Stream
	Poll   Poll
	TCP    TCP
	UDP    UDP
	Unix   Unix
	IP     IP

	// ICMP4 and ICMP6 say what an ICMP error means to the socket it is about, by type and code.
	ICMP4, ICMP6 func(typ, code uint8) (ICMPError, bool)

	// Somaxconn is the most that listen's backlog counts (net.core.somaxconn).
	Somaxconn int
	// SendBuffer and ReceiveBuffer are the defaults of SO_SNDBUF and SO_RCVBUF of TCP and UDP sockets, in bytes.
	TCPSendBuffer, TCPReceiveBuffer int
	// TCPSendBufferMost is how far the send buffer of a TCP socket that has not set it grows; 0: it does not.
	// TCPReceiveBufferMost is how far its receive buffer grows, and what its window is scaled for; 0: it does not.
	TCPSendBufferMost, TCPReceiveBufferMost int
	UDPSendBuffer, UDPReceiveBuffer         int
}

// Call holds facts of the system call layer, before any address family is asked.
type Call struct {
	// AddressMax is the longest address accepted, in bytes; TooLong the error beyond.
	AddressMax int
	TooLong    Errno
	// AddressMin is the shortest; TooShort the error below (0: left to the family).
	AddressMin int
	TooShort   Errno
	// NullAddress is the error for a null pointer with a length; 0: EFAULT like any bad pointer.
	NullAddress Errno
	// AddressFirst: the address is copied before the descriptor is looked at.
	AddressFirst bool
	// SocketFirst: ENOTSOCK comes before the address is copied.
	SocketFirst bool
}

// Stream holds facts of connection-oriented sockets.
type Stream struct {
	// Inet and Unix are the state tables. On a system where UnixLooksFirst holds, AF_UNIX asks its table only after the
	// peer's name has been looked up.
	Inet, Unix     ConnectTable
	UnixLooksFirst bool
	// UnspecDissolves: connecting a TCP socket to AF_UNSPEC returns 0 and makes it fresh again, in any state.
	UnspecDissolves bool
	// SendTimeout is the error of a TCP connect whose SO_SNDTIMEO ran out; 0: the option does not count for connect.
	SendTimeout Errno
	// DissolvedMeanwhile is the error of a call that waits while another one dissolves the association by AF_UNSPEC.
	DissolvedMeanwhile Errno
	// Restarts: a connect interrupted by a signal with SA_RESTART goes on waiting (without SO_SNDTIMEO).
	Restarts bool
	// FailedIsDead: once an attempt, or the connection, ended asynchronously the socket is Dead, not Failed or Connected.
	FailedIsDead bool
	// ShutdownKills: shutdown(2) of the writing half ends an attempt without an error; else either half ends it, with
	// ECONNRESET, and the socket is Fresh.
	ShutdownKills bool
	// CloseAborts is what a connect that waits returns when the last descriptor of its socket is closed; 0: it waits on.
	CloseAborts Errno
	// Admits returns how many clients may wait at a listener with the given backlog.
	Admits func(backlog int) int
	// HidesNoted: SO_ERROR does not tell errors that were only noted.
	HidesNoted bool
}

// Poll holds facts of readiness.
type Poll struct {
	// FreshHangup: a connection-oriented socket that was never connected has POLLOUT and POLLHUP; else it has nothing.
	FreshHangup bool
	// ErrorReads: a pending error makes a socket readable and writable; there is neither POLLERR nor POLLRDHUP.
	ErrorReads bool
}

// TCP holds the times and counts of TCP.
type TCP struct {
	SynRetries        int           // SYNs sent again before the attempt dies (net.ipv4.tcp_syn_retries)
	SynLinearTimeouts int           // how many of them without doubling the time (net.ipv4.tcp_syn_linear_timeouts)
	SynAckRetries     int           // net.ipv4.tcp_synack_retries
	Retries2          int           // net.ipv4.tcp_retries2
	InitialRTO        time.Duration // RFC 6298, 2.1
	MinRTO, MaxRTO    time.Duration
	MinVariance       time.Duration // the least that a timeout has beyond the round trip; 0: nothing
	TimeWait          time.Duration
	DelayedACK        time.Duration
	QuickACKs         uint8         // how many of the first acknowledgements don't wait
	FinTimeout        time.Duration // net.ipv4.tcp_fin_timeout
	// SynBackoff are the waits after each SYN, where they are no plain doubling of InitialRTO (tcp.Config).
	SynBackoff []time.Duration
	// KeepInit kills whatever is not established by then; 0: the retries alone decide.
	KeepInit time.Duration
	// KeepIdle is how long a connection is silent before keep-alive probes it, KeepInterval the time between probes,
	// KeepProbes how many get no answer before it ends (net.ipv4.tcp_keepalive_time, _intvl, _probes).
	KeepIdle, KeepInterval time.Duration
	KeepProbes             int
	// WindowScaling, Timestamps (RFC 7323) and SACK (RFC 2018) are the options that a SYN offers, where the host's settings
	// (net.ipv4.tcp_window_scaling, tcp_timestamps, tcp_sack) don't say otherwise.
	WindowScaling, Timestamps, SACK bool
	// PortsFirst and PortsLast bound the implicit ports (net.ipv4.ip_local_port_range).
	PortsFirst, PortsLast uint16
	// NoPort is the error when no implicit port is free, TupleInUse when the connection exists already.
	NoPort, TupleInUse Errno
	// Multicast, Broadcast (255.255.255.255) and SubnetBroadcast are the errors of such destinations; PortZero of port 0
	// (0: it is tried).
	Multicast, Broadcast, SubnetBroadcast, PortZero Errno
	// SelfConnect is the error of connecting a socket to its own address and port; 0: it works.
	SelfConnect Errno
	// WhenDead is the error of connecting a dead socket, where the state table says Examine. InTimeWait is the same while
	// its connection is in TIME-WAIT, from when on it is dead; 0: it is connected until TIME-WAIT is over.
	WhenDead, InTimeWait Errno
	// BindsFirst: the implicit port is one that nobody uses, and is taken before the destination's own port is looked at
	// and its route looked up: it stays when these fail.
	BindsFirst bool
	// MappedRefused is the error of an IPv4-mapped destination where IPV6_V6ONLY is set.
	MappedRefused Errno
	// Filtered is connect's error when the host's own firewall drops its SYN; 0: the SYN is lost.
	Filtered Errno
	// ResetOnUnread: closing with unread data sends a reset for a FIN (RFC 2525, 2.17).
	ResetOnUnread bool
	// SoftRetries is how often a SYN must have been sent again for a second soft error to end the attempt (ICMPError).
	SoftRetries int
	// Multipath: there is IPPROTO_MPTCP. Here it is TCP, as it becomes with a peer that has no Multipath TCP (RFC 8684, 3.7).
	Multipath bool
	// QueuesICMP4: during set-up an ICMP error (IPv4) goes to the error queue, whether IP_RECVERR is set or not.
	QueuesICMP4 bool
	// MappedSticks: once a socket of AF_INET6 has had an IPv4-mapped peer, SYNs to native ones get lost.
	MappedSticks bool
	// NoteOnly: an ICMP error that arrives within the call that sent the SYN is noted, and ends the attempt at its
	// first retransmission.
	NoteOnly bool
}

// UDP holds facts of datagram sockets.
type UDP struct {
	NoPort Errno // no implicit port is free
	// Broadcast is connect's error for a broadcast address without SO_BROADCAST (0: none; send has it).
	Broadcast Errno
	PortZero  Errno
	// TupleInUse is the error of connecting where another socket has both ends already; 0: they share them.
	TupleInUse Errno
	// MappedRefused is the error of an IPv4-mapped destination where IPV6_V6ONLY is set.
	MappedRefused Errno
	// Filtered is the error of sending what the host's own firewall drops.
	Filtered Errno
	// TakesInet: an AF_INET6 socket takes an AF_INET address, for its mapped form.
	TakesInet bool
	// KeepsSource: the address that connect chose first is used for later peers too, until the association is dissolved.
	KeepsSource bool
	// BindsLast: connect takes the implicit port once there is a way; else before it looks at the address.
	BindsLast bool
	// UnspecDissolves: connecting to AF_UNSPEC dissolves the association and returns 0; else it is a wrong family.
	UnspecDissolves bool
	// DissolvesFirst: a socket that connects anew has lost its association before the address is looked at.
	DissolvesFirst bool
	// DissolvedToPort: what is left of a dissolved association is the port, implicit or not, and no address, bound or not.
	DissolvedToPort bool
}

// Unix holds facts of AF_UNIX.
type Unix struct {
	// PathMax is the longest path in bytes; Abstract: names may begin with a NUL.
	PathMax  int
	Abstract bool
	// NoSeqPacket is socket(2)'s error for SOCK_SEQPACKET; 0: the type exists.
	NoSeqPacket Errno
	// WrongFamily is the error of an address of another family; NotSocket that of a path to something else, which comes
	// before EACCES if NotSocketFirst.
	WrongFamily, NotSocket Errno
	NotSocketFirst         bool
	// UnspecIsUnix: AF_UNSPEC is taken for AF_UNIX.
	UnspecIsUnix bool
	// FullWaits: a blocking connect waits for room in a full backlog, a non-blocking one has Full.
	FullWaits bool
	Full      Errno
	// MaxDatagrams is how many datagrams wait at a receiver (net.unix.max_dgram_qlen); one more than that is admitted.
	MaxDatagrams int
	// QueueFull is the error of sending to a receiver that is full, at once; 0: who may wait does, others have EAGAIN.
	QueueFull Errno
	// NotPeer is the error of whoever connects or sends to a datagram socket that is connected to another; 0: it hears
	// everyone.
	NotPeer Errno
	// UnspecDissolves: connecting a datagram socket to AF_UNSPEC dissolves its association and returns 0; else it is an
	// address like any other.
	UnspecDissolves bool
	// DissolvesFirst: a datagram socket that connects anew has lost its association before the address is looked at.
	DissolvesFirst bool
	// PeerGone is the SO_ERROR of a datagram socket whose peer closes, which ends the association; 0: it notices when it
	// sends, by ECONNREFUSED.
	PeerGone Errno
	// Symlinks is how many symbolic links a path look-up follows (path_resolution(7)).
	Symlinks int
}

// IP holds facts of routing and neighbours.
type IP struct {
	NoRoute     Errno // no route at all
	Unreachable Errno // unreachable route
	Blackhole   Errno // blackhole route
	Prohibit    Errno // prohibit route
	NoScope     Errno // bound to an address for the link of an interface that is not there
	// InterfaceDown is the error of a route by an interface that is down; 0: the route does not count.
	InterfaceDown Errno
	// ExactLength: an address has its family's length to the byte; else it may be longer, and lack sin6_scope_id.
	ExactLength bool
	// UnspecIsInet: a TCP socket of AF_INET takes AF_UNSPEC for AF_INET.
	UnspecIsInet bool
	// AnyIsFirst: the destination 0.0.0.0 is the host's first address, 255.255.255.255 the first broadcast address there
	// is; else the former is the address the socket is bound to, or loopback.
	AnyIsFirst bool
	// V6Only is the default of IPV6_V6ONLY.
	V6Only bool
	// RuleUnreachable is the error of an unreachable rule of the routing policy.
	RuleUnreachable Errno
	// DownLosesIPv6: an interface that goes down loses its IPv6 addresses and routes.
	DownLosesIPv6 bool
	// Protocols is how many protocols socket(2) may be given, from 0 on; NoProtocol is its error for others.
	Protocols  int32
	NoProtocol Errno
	// RawProtocol: a raw socket's names show its protocol for a port. Connecting it to AF_UNSPEC takes protocol and
	// address off it, bound or not: it hears nothing from then on.
	RawProtocol bool
	// PingGroups may have ping sockets: SOCK_DGRAM of IPPROTO_ICMP (net.ipv4.ping_group_range; nobody if First is the
	// greater one). NoPing is socket(2)'s error for others.
	PingGroups struct{ First, Last uint32 }
	NoPing     Errno
	// NeighbourFails is how long a neighbour may stay silent before what waits for it fails with NeighbourErrno.
	NeighbourFails time.Duration
	NeighbourErrno Errno
	// NeighbourBelieved is for how long after its last answer a neighbour is believed to be there; NeighbourProbed for how
	// long from the first use after that, while it is asked again. What is sent to it meanwhile is lost if it is gone.
	NeighbourBelieved, NeighbourProbed time.Duration
	// NeighbourQueue is how many packets wait for a neighbour (net.ipv4.neigh.*.unres_qlen, in packets).
	NeighbourQueue int
}

// ICMPError is what an ICMP error means to a socket.
type ICMPError struct {
	Errno Errno
	// TCP: ends a connection attempt. UDP: reported by a connected socket even without IP_RECVERR.
	TCP, UDP bool
	// Soft: it ends an attempt only with patience (TCP.SoftRetries), and is else the reason once the time is up.
	Soft bool
}
