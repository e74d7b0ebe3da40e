// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import "testing"

// ab are two datagram sockets with names, and s without.
const ab = `
	socket a dgram
	bind a /a
	socket b dgram
	bind b /b
	socket s dgram
`

func TestDatagramReconnects(t *testing.T) { // un-dg-ok
	run(t, ab+`
		poll s = OUT
		name s = unnamed
		peer s = ENOTCONN
		send s x = ENOTCONN
		connect s /a = 0
		poll s = OUT
		peer s = /a
		send s 1 = 1
		recv a = "1"
		connect s /b = 0
		peer s = /b
		send s 2 = 1
		recv b = "2"
		recv a = EAGAIN
		connect s /b = 0
		connect s unspec = 0
		poll s = OUT
		peer s = ENOTCONN
		send s x = ENOTCONN
		connect s unspec = 0
		connect s /a = 0
		send s 3 = 1
		recv a = "3"
	`)
}

func TestDissolvingKeepsTheName(t *testing.T) { // un-dg-bound-unspec
	run(t, ab+`
		bind s /s
		connect s /a
		peer s = /a
		connect s unspec
		name s = /s
		peer s = ENOTCONN
	`)
}

func TestConnectedHearsItsPeerAlone(t *testing.T) { // un-dg-eperm
	run(t, ab+`
		connect a /b = 0
		socket c dgram
		bind c /c
		connect c /a = EPERM
		poll c = OUT
		peer c = ENOTCONN
		sendto c x /a = EPERM
		sendto b from-b /a = 6
		connect b /a = 0
		recv a = "from-b"
		connect a /c = 0
		peer a = /c
		send b x = EPERM
		poll b = OUT
		peer b = /a
		error b = 0
		connect c /a = 0
	`)
}

func TestOlderAssociationStopsWorking(t *testing.T) { // un-dg-connected-then-third
	run(t, ab+`
		connect s /a
		send s before = 6
		connect a /b
		send s after = EPERM
		poll s = OUT
		peer s = /a
		recv a = "before"
		recv a = EAGAIN
		error s = 0
	`)
}

func TestDissolvingWithEmptyQueueIsSilent(t *testing.T) { // un-dg-unspec-noqueue
	run(t, ab+`
		connect a /b
		connect b /a
		connect a unspec
		error b = 0
		send b after = 5
		recv a = "after"
	`)
}

func TestDissolvingDiscardsTheQueue(t *testing.T) { // linux.md 1.6
	for _, to := range []string{"unspec", "/c"} {
		run(t, ab+`
			socket c dgram
			bind c /c
			connect a /b
			connect b /a
			send b lost = 4
			connect a `+to+`
			recv a = EAGAIN
			poll b = OUT|ERR
			error b = ECONNRESET
			error b = 0
		`)
	}
	run(t, ab+`
		connect s /a
		send s lost = 4
		connect a /b                    # had no peer: keeps what came
		recv a = "lost"
	`)
}

func TestPeerCloses(t *testing.T) { // un-dg-peer-close, un-dg-mutual-close
	run(t, ab+`
		bind s /s
		connect s /a
		sendto a bye /s = 3
		close a
		poll s = IN|OUT
		peer s = /a
		error s = 0
		send s x = ECONNREFUSED
		poll s = OUT
		peer s = ENOTCONN
		send s x = ENOTCONN
		recv s = EAGAIN
		connect s /a = ECONNREFUSED
		connect s /b = 0
		send s x = 1
	`)
	run(t, ab+`
		connect a /b
		connect b /a
		send a unread = 6
		close b
		poll a = OUT
		peer a = /b
		error a = 0
		send a x = ECONNREFUSED
		send a x = ENOTCONN
	`)
}

func TestFailedReconnectChangesNothing(t *testing.T) { // un-dg-errors
	run(t, ab+`
		socket x dgram
		bind x /x
		close x
		file /reg
		connect s /a
		connect s /none = ENOENT
		connect s /x = ECONNREFUSED
		connect s /reg = ECONNREFUSED
		connect s inet = EINVAL
		connect s auto = EINVAL
		peer s = /a
		send s still = 5
		recv a = "still"
		connect s unspec = 0
	`)
}

func TestDatagramToItself(t *testing.T) { // un-dg-self
	run(t, ab+`
		connect a /a = 0
		poll a = OUT
		peer a = /a
		send a echo = 4
		recv a = "echo"
		sendto s x /a = EPERM
		connect s /a = EPERM
	`)
}

func TestReceiverFull(t *testing.T) { // un-dg-full
	run(t, `qlen 2`+ab+`
		qlen 10                             # for those made later
		connect s /a = 0
		send s x = 1
		send s x = 1
		send s x = 1
		nonblocking s on
		send s x = EAGAIN
		poll s = 0
		socket t dgram nonblocking
		connect t /a = 0
		poll t = 0
		send t x = EAGAIN
		recv a = "x"
		poll s = OUT
		send s x = 1
	`)
	// The default of net.unix.max_dgram_qlen is 10.
	fill := ab + "connect s /a\n"
	for range 11 {
		fill += "send s x = 1\n"
	}
	run(t, fill+`
		nonblocking s on
		send s x = EAGAIN
		poll s = 0
		socket t dgram nonblocking
		connect t /a = 0
		poll t = 0
		send t x = EAGAIN

		recv a = "x"
		poll s = OUT
		send s x = 1
	`)
	run(t, fill+`
		go send s late
		advance 1s
		await s = waits
		recv a = "x"
		await s = 4 at 1s
	`)
	run(t, fill+`
		sndtimeo s 2s
		go send s late
		advance 3s
		await s = EAGAIN at 2s
	`)
	run(t, fill+`
		go poll s out
		advance 1s
		await s = waits
		recv a = "x"
		await s = OUT at 1s
	`)
	run(t, fill+`
		go send s late
		advance 1s
		close a
		await s = ECONNREFUSED at 1s
		peer s = ENOTCONN
	`)
	run(t, fill+`
		go poll s out
		close a
		await s = OUT at 0s                 # the send that follows says why
	`)
	// Two that are connected to each other have no such bound.
	mutual := ab + "connect a /b\nconnect b /a\n"
	for range 20 {
		mutual += "send b x = 1\n"
	}
	run(t, mutual+"poll b = OUT")
}

func TestDatagramShutdown(t *testing.T) { // un-dg-shutdown; receiving was seen on Linux 6.18
	run(t, ab+`
		shutdown s WR
		connect s /a = 0
		send s x = EPIPE
		shutdown a RD
		socket t dgram
		connect t /a = 0
		send t x = EPIPE
		poll t = OUT
		peer t = /a
		recv a = EAGAIN
		read a = 0
	`)
	run(t, ab+`
		go read a
		advance 1s
		await a = waits
		shutdown a RD
		await a = 0 at 1s
	`)
}

func TestPermissionIsAskedWhenConnecting(t *testing.T) { // un-dg-eacces
	run(t, `
		socket a dgram
		bind a /a
		socket s dgram
		as 65534 65534
		connect s /a = EACCES
		sendto s x /a = EACCES
		as root
		connect s /a = 0
		as 65534 65534
		send s earlier = 7
	`)
}

func TestSenderOfADatagram(t *testing.T) {
	run(t, ab+`
		sendto s x none = ENOENT
		sendto s x inet = EINVAL
		sendto a from-a /b = 6
		recv b = "from-a"
		sendto a x @gone = ECONNREFUSED
	`)
}
