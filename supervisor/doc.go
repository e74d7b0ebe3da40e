// SPDX-License-Identifier: Apache-2.0

// Package supervisor hosts unmodified Linux programs on a virtual host: their
// socket calls are caught by seccomp user notification (seccomp_unotify(2))
// and served by the socket layer. It needs no privilege, no user namespace, no
// preloaded library, and works for static programs.
//
//	s, err := supervisor.New(supervisor.Options{})
//	status, err := s.Run(ctx, supervisor.Program{Argv: argv, Stack: host.Stack(), Stdout: os.Stdout})
//
// # How a call travels
//
//	filter.go    which calls are reported, by number and argument
//	start.go     supervisor -> keeper.go -> shim.go, which execs the program under the filter
//	read.go      takes the calls of a program and all its descendants, one after the other
//	dispatch.go  finds the socket behind the descriptor, and who serves the call
//	calls.go, connect.go, send.go, receive.go, options.go, ioctl.go, netlink*.go
//	park.go      the calls that wait
//
// On a host with access control also: security.go, the calls with a SID;
// access.go, what plain reads and writes are; lineage.go, whose label a process
// has; attributes.go, where it reads and sets it.
//
// # What lies under a descriptor
//
// Under each descriptor of an emulated socket lies an AF_UNIX socket, T, so
// that read, write, poll, epoll, dup, fork and SCM_RIGHTS are the kernel's own.
// What is virtual about it, its names, state, options and errors, is the
// layer's [socket.Socket]. An established connection is joined in one of two
// ways (join.go):
//
//	direct   T to the other program's T: the bytes never pass us
//	pumped   T to our S, and pump.go moves the bytes between S and the layer's socket
//
// Direct are connections between programs here on one host, and between two
// hosts if the network is settled ([Options]) and nothing on the way acts on
// the bytes. Faults decide whether a connection is made; what the network does
// later does not happen to a direct one.
//
// A listener's T listens natively; for each connection in the layer's queue
// one is presented to it (listening.go). Datagrams: datagram.go. That a target
// has closed T is not reported, but found out (ghost.go, harvest.go, reset.go).
// Explanations: teller.go.
//
// Importing this package lets the binary be started as a keeper or shim; see
// reexec.go.
//
// # Phases and states
//
// The layer's state of a stream socket (package personality) says what connect
// answers; the phase of its T (hosted.go) says what its descriptor shows. These
// meet, and whoever is named owns the explanation of the attempt:
//
//	phase     state                   when                                  whose explanation
//	fresh     Fresh, Dead             no attempt, or one that ended in the  the call's own: told with its answer
//	                                  call
//	          Connecting              inside connect alone                  the call's
//	filled    Connecting              EINPROGRESS was answered              h.explaining, until settle tells it
//	          Connecting              a call waits (parkConnect)            the parked call; it hands it to
//	                                                                        h.explaining if it leaves before the end
//	          Unreported, Failed,     the attempt has ended, the loop has   h.explaining: told by settle, or by the
//	          Dead                    not shown it yet                      next connect if that comes first
//	pumped    Unreported, Connected   joined to S                           nobody's: told when joined
//	direct    Unreported, Connected   joined to another T                   nobody's: told when joined
//	failed    Failed, Fresh, Dead     T shows a failure, or a connection    nobody's: told when it failed
//	                                  that was dissolved; connect and
//	                                  listen on a Fresh one put another T
//	                                  there (refresh)
//	failed    Connected               the connection broke (pump.fail)      nobody's
//	inListen  Listening               accept presents connections           the connecting side's
//	gone      any                     no descriptor is left                 forget tells what was not told:
//	                                                                        EINPROGRESS
//
// An explanation is told once (explaining.told): whoever comes second is
// ignored. The state Deferred does not occur, since nothing can defer.
//
// # Requirements and limits
//
// Linux 5.14 or later on x86-64; pidfd_getfd(2) permitted, which some
// containers forbid. Programs of 32 bits are served too. Not served: io_uring
// (ENOSYS), families other than AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK, and of
// that what netlink.go names (EAFNOSUPPORT), control messages on streams, programs that are executable but
// not readable. AF_UNIX sockets and /proc/net are the real machine's, but for
// the sockets that socket_secure made (unixsocket.go). The filter is not a
// boundary against a hostile program: one that runs as root can open
// /dev/net/tun, and reaches the real network by it. Signals that were ignored
// when the supervisor started, other than SIGHUP and
// SIGINT, have their default action in the program.
//
// Lest one program hold up the others, sendmmsg and recvmmsg end early, after
// 1 MiB or 1,024 iovecs, as both calls may. What a call names is read from the
// program's memory: where that waits (userfaultfd(2), a file on a network), so
// may all others.
//
// # Labels
//
// Only on a host that is under access control when the program starts. A label
// follows execve(2) and fork(2): by the parent, or else by the image of the
// memory, which a fork keeps; a process whose parent has changed its label by
// setcon(3) between the fork and the child's first reported call gets the new
// one. A new thread has the label of its process's first thread. Of /proc there
// are attr/current, exec and sockcreate of the process itself, by the paths that
// libselinux uses; a descriptor shows what was true when it was opened, and is
// written under its own number (attributes.go), for which RLIMIT_NOFILE must
// allow 1024.
//
// # Where T shows through
//
// Calls without an address are not caught, for the sake of speed, and in these
// cases T answers otherwise than an inet socket:
//
//	call                                      answer        instead of
//	read, recv on a stream without a peer     EINVAL        ENOTCONN
//	write, send on a stream without a peer    ENOTCONN      EPIPE and SIGPIPE
//	send on a datagram socket without a peer  ENOTCONN      EDESTADDRREQ
//	read, recv, send on a connected datagram  ECONNRESET    ECONNREFUSED, EHOSTUNREACH and
//	socket after an ICMP error                              the like, which SO_ERROR still has
//	read, recv after an attempt failed,       ECONNRESET;   the attempt's error
//	before SO_ERROR is asked for              0 under BSD
//	poll, direct, after the peer's close      HUP, too      IN, RDHUP
//	first write, direct, after the peer's     EPIPE         success; the reset follows
//	close
//	poll, epoll, the moment an attempt fails  ERR, HUP;     all at once
//	                                          then OUT
//	SO_SNDBUF, SO_RCVBUF not set before       AF_UNIX's     TCP's, UDP's
//	setsockopt of TCP_NODELAY, TCP_CORK or    0             EBADF, ENOTSOCK, EOPNOTSUPP
//	TCP_QUICKACK on what is no TCP socket
//	TCP_NODELAY, read                         1 if it is    what was set
//	                                          connected
//	TCP_CORK, TCP_QUICKACK, read              as at first   what was set
//	SO_ZEROCOPY                               ENOPROTOOPT   success
//	SIOCOUTQ (TIOCOUTQ)                       what the      what it has not acknowledged
//	                                          peer has not
//	                                          read
//	write, direct, after the peer's           EPIPE         success
//	shutdown(SHUT_RD)
//	reset by SO_LINGER, direct                within 50 ms  at once
//	poll of a listener after shutdown         IN, HUP       HUP
//	SO_TYPE of a raw socket                   SOCK_DGRAM    SOCK_RAW
//	recvfrom, recvmsg on a datagram socket    port 0        the sender's port
//	connected to port 0
//	send with MSG_MORE and no address on a    a datagram    a part of the next one
//	connected datagram socket
//	poll of an error queue with               ERR           PRI, too
//	SO_SELECT_ERR_QUEUE
//
// Control messages of datagrams (IP_PKTINFO, SO_TIMESTAMP and the like) come to T with
// the name of the sender (aside.go), and where that can't tell them, on a connected
// socket or for times, beside the bytes, as a descriptor of what they say
// (envelope.go): some 20 µs for each.
//
// A datagram comes to T by the supervisor's loop: a read that does not wait and
// is not caught may find nothing where Linux's loopback has delivered at once.
//
// select, poll and epoll are the kernel's own, and T decides what they say. A
// failed attempt shows as the host's personality has it: under the BSDs there is
// no POLLERR. Three of their differences can't be had. That a stream which was
// never connected is not ready: T would have to be connected to us, and could
// neither listen nor be joined to another T. That a datagram socket with an error
// polls IN instead of ERR: there would have to be a datagram to read. That a
// reset connection polls without ERR: T would read an end where the reset was,
// and what came would seem whole.
//
// An error of a datagram socket without a peer, which there is with IP_RECVERR,
// shows in the calls that are caught, and ends one that waits; it can't be polled.
//
// T has no room while an attempt is under way. When it fails S is closed, and the
// kernel tells of that before it has let go of what S held (unix_release_sock): for
// some microseconds T polls ERR and HUP, and not yet OUT.
//
// A program can't open fast: MSG_FASTOPEN and TCP_FASTOPEN_CONNECT answer
// EOPNOTSUPP, as Linux does with bit 0 of net.ipv4.tcp_fastopen clear, since
// after the latter the first bytes come by a write(2) that we don't see, on a T
// that is not connected. Its listeners may take bytes in the SYN (TCP_FASTOPEN).
//
// rtnetlink(7) tells of links, addresses, routes and rules, and changes nothing;
// neighbours it does not know (EOPNOTSUPP), since the stack keeps no table of
// those who answer.
//
// AF_UNIX sockets that socket_secure made are served in the same way, with these
// gaps. No descriptor passes over them: to send a control message is EINVAL
// (SCM_RIGHTS, SCM_CREDENTIALS), and with SO_PASSCRED a stream's reader is told of
// the supervisor. A close is not reported, so that the other end may read what is
// there before it learns of a reset (ECONNRESET), and a datagram socket that has
// sent more than its receiver had room for keeps its name until that is taken. A
// record longer than SO_SNDBUF at first allows (212,992 bytes) ends the connection
// with EMSGSIZE, if the program has made SO_SNDBUF larger.
//
// # What a connection costs
//
// socket, connect, accept and two closes in one thread, as multiples of the
// kernel's own time over its loopback (Linux 6.18, 2 cores, quiet moments; bench/
// measures the last one):
//
//	1.2   three calls reported, two descriptors handed over, AF_UNIX: a C program that does nothing else
//	1.5   and that knows its sockets, reads and writes the addresses, and learns of the closes
//	1.7   the same in Go
//	2.3   and TCP: this package
//
// That is with the caller and the supervisor on one core. SYNC_WAKE_UP keeps
// them there, but not at ADDFD, which wakes the caller on an idle core if there
// is one: on a virtual machine up to 5.
//
// # A gap of the kernel's
//
// A signal takes a waiting caller away from its call; an answer that comes once
// the signal has woken it, but before it holds the filter's lock again, is
// dropped although SEND reports success (seccomp_do_user_notification). With
// SA_RESTART the call is then made twice, without it fails with EINTR though it
// was carried out. What a receive or an accept had got is lost to it. A caller
// and a supervisor that did nothing else, on Linux 6.18, 2 cores, the answer
// 20 µs after the call:
//
//	signal every   flags                 calls     accepted, yet dropped
//	50 µs          SA_RESTART            100,000   94
//	100 µs         SA_RESTART            100,000   0
//	100 µs         no SA_RESTART         50,000    13
//	50-100 µs      both on one core      150,000   0
//	100 µs         WAIT_KILLABLE_RECV    100,000   0
//
// It takes two cores at the same instant: on one the woken caller goes first.
// WAIT_KILLABLE_RECV closes the gap, and no connect that was received could be
// interrupted any more: not one of those SENDs found its caller gone.
package supervisor
