// SPDX-License-Identifier: Apache-2.0

// Package drill runs scripts in packetdrill's language (github.com/google/packetdrill) against a host: they say which
// packets come in, which socket calls are made, and which packets and results are expected when. The host's personality is
// linux, its clock is the script's, so a script of two minutes takes a millisecond.
//
//	  0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//	 +0 bind(3, ..., ...) = 0
//	 +0 listen(3, 1) = 0
//	 +0 < S 0:0(0) win 30000 <mss 1000>
//	 +0 > S. 0:0(0) ack 1 <mss 1460>
//	+.1 < . 1:1(0) ack 1 win 30000
//	 +0 accept(3, ..., ...) = 4
//
// testdata has more. To run scripts that you have, and read how each went:
//
//	go test ./drill -run given -v -scripts DIR
//
// # What is read
//
//   - Times in seconds: absolute, +relative, * for any, from~to, and from...to for calls that block. What happens may be
//     4 ms off (--tolerance_usecs), or an eighth of the time since the event before.
//   - TCP segments of one connection at a time, in (<) and out (>), with flags, numbers, ack, win, urg and the options mss,
//     wscale, sackOK, sack, TS val ecr, FO, md5, nop, eol; <...> is whatever options. What goes out may be cut into
//     segments otherwise, and the PSH of one that the link has yet to cut is not compared. Values of timestamps are compared with --tcp_ts_tick_usecs alone, what they echo always.
//   - "icmp unreachable" with host_unreachable, port_unreachable, frag_needed mtu N and the others of IPv4.
//   - socket, bind, listen, accept, connect, read, write, send, recv, sendto, recvfrom, sendmsg, recvmsg, setsockopt,
//     getsockopt, shutdown, close, fcntl, poll, epoll_create, epoll_ctl, epoll_wait.
//   - %{ assert ... }% about members of struct tcp_info, with Python's comparisons, and, or, &, |, + and -.
//   - `sysctl -q name=value`, `set_sysctls.py /proc/sys/...`, and `defaults.sh` as the settings of packetdrill's own suite; a
//     sysctl that the host does not know changes nothing, and is told where the script fails.
//
// Whatever else a script wants, such as IPv6, ECN, control messages or tc(8), is a [NotRunError].
//
// # What becomes of it
//
//	script.go    lines and times               world.go     the host and its link
//	packet.go    packets and options           run.go       one event after the other
//	call.go      calls and their arguments     inject.go    packets in
//	names.go     Linux's constants             expect.go    packets out
//	assert.go    assertions                    perform.go   calls, and what they return (transfer.go)
//	command.go   sysctls
package drill
