// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"errors"
	"strings"
	"testing"

	"dialtone/errno"
)

func isErrno(err error, e errno.Errno) bool { return e != errno.OK && errors.Is(err, e.Syscall()) }

// both runs a script for SOCK_STREAM and SOCK_SEQPACKET: TYPE stands for either. The comments name the cases of
// conformance/cases, seen on Linux 6.18, that a script follows.
func both(t *testing.T, script string) {
	for _, typ := range []string{"stream", "seqpacket"} {
		t.Run(typ, func(t *testing.T) { run(t, strings.ReplaceAll(script, "TYPE", typ)) })
	}
}

// listening is how most scripts begin.
const listening = `
	socket l TYPE
	bind l /s
	listen l 16
	socket s TYPE
`

func TestConnectBeforeAccept(t *testing.T) { // un-st-ok-bl, un-st-ok-nb
	for _, blocking := range []string{"", "nonblocking s on"} {
		both(t, listening+blocking+`
			poll s = OUT|HUP
			name s = unnamed
			peer s = ENOTCONN
			poll l = 0
			name l = /s
			connect s /s = 0
			poll s = OUT
			peer s = /s
			error s = 0
			poll l = IN
			peer l = ENOTCONN
			connect s /s = EISCONN
			connect s /nonexistent = ENOENT
			connect s unspec = EINVAL
			send s early = 5
			accept l c = 0
			peer c = unnamed
			poll c = IN|OUT
			name c = /s
			recv c = "early"
			connect c /s = EISCONN
			close c
			poll s = IN|OUT|HUP|RDHUP
			peer s = /s
			send s x = EPIPE
			connect s /s = EISCONN
		`)
	}
}

func TestNamesOfABoundClient(t *testing.T) { // un-st-bound-client
	both(t, listening+`
		bind s /c = 0
		connect s /s = 0
		name s = /c
		peer s = /s
		accept l c
		name c = /s
		peer c = /c
	`)
}

func TestFailureLeavesTheSocketFresh(t *testing.T) { // un-st-enoent, un-st-stale
	both(t, `
		socket s TYPE
		connect s /none = ENOENT
		poll s = OUT|HUP
		name s = unnamed
		peer s = ENOTCONN
		error s = 0
		connect s /nodir/none = ENOENT
		socket l TYPE
		bind l /s
		listen l 16
		close l
		connect s /s = ECONNREFUSED   # stale
		poll s = OUT|HUP
		error s = 0
		socket m TYPE
		bind m /s = EADDRINUSE
		bind m /s2
		listen m 16
		connect s /s2 = 0
		poll s = OUT
	`)
}

func TestOnlyListenersAccept(t *testing.T) { // un-st-notlistening, un-st-target-is-connected, un-st-self
	both(t, `
		socket l TYPE
		bind l /s
		socket s TYPE
		connect s /s = ECONNREFUSED
		socket s2 TYPE
		connect s2 /s = ECONNREFUSED
		poll s = OUT|HUP
		listen l 1
		connect s /s = 0
		poll s = OUT
		socket b TYPE
		bind b /b
		connect b /s = 0
		connect s2 /b = ECONNREFUSED
		listen b 1 = EINVAL
		socket self TYPE
		bind self /self
		connect self /self = ECONNREFUSED
		name self = /self
		socket u TYPE
		listen u 1 = EINVAL
		accept u x = EINVAL
	`)
}

func TestListenerConnects(t *testing.T) { // un-st-listener-connect
	both(t, listening+`
		socket l2 TYPE
		bind l2 /s2
		listen l2 4
		connect l /s2 = EINVAL
		connect l /s = EINVAL
		connect l unspec = EINVAL
		connect l /none = ENOENT
		connect s /s = 0
	`)
}

func TestUnspecDissolvesNoStream(t *testing.T) { // un-st-unspec, un-st-family
	both(t, listening+`
		connect s unspec = EINVAL
		connect s inet = EINVAL
		bind s /c
		connect s unspec = EINVAL
		connect s /s = 0
		connect s unspec = EINVAL
		poll s = OUT
		name s = /c
		peer s = /s
	`)
}

func TestShutdownBeforeConnectSticks(t *testing.T) { // un-st-shutdown-first
	both(t, listening+`
		shutdown s RD
		poll s = IN|OUT|HUP|RDHUP
		connect s /s = 0
		poll s = IN|OUT|RDHUP
		send s x = 1
		accept l c
		send c x = EPIPE
		recv s = 0

		socket s TYPE
		shutdown s WR
		poll s = OUT|HUP
		connect s /s = 0
		poll s = OUT
		send s x = EPIPE
		accept l c
		send c x = 1
		recv s = "x"

		socket s TYPE
		shutdown s RDWR
		poll s = IN|OUT|HUP|RDHUP
		connect s /s = 0
		poll s = IN|OUT|HUP|RDHUP
		send s x = EPIPE
		accept l c
		send c x = EPIPE
		recv s = 0
	`)
}

func TestShutdownReachesThePeer(t *testing.T) {
	both(t, `
		pair a b TYPE
		send a last = 4
		shutdown a WR
		send a x = EPIPE
		poll b = IN|OUT|RDHUP
		recv b = "last"
		recv b = 0
		send b back = 4
		recv a = "back"
		shutdown a RD
		poll a = IN|OUT|HUP|RDHUP
		poll b = IN|OUT|HUP|RDHUP
		send b x = EPIPE
	`)
}

func TestListenerClosedWithClientQueued(t *testing.T) { // un-st-close-before-accept, un-sq-close-before-accept
	const begin = listening + `
		connect s /s
		send s hello = 5
		close l
		poll s = IN|OUT|ERR|HUP|RDHUP
		peer s = /s
	`
	run(t, strings.ReplaceAll(begin, "TYPE", "stream")+`
		send s x = EPIPE
		error s = ECONNRESET
		error s = 0
		recv s = 0
		recv s = 0
		connect s /s = ECONNREFUSED
	`)
	run(t, strings.ReplaceAll(begin, "TYPE", "seqpacket")+`
		send s x = ECONNRESET
		error s = 0
		send s x = EPIPE
		recv s = 0
		connect s /s = ECONNREFUSED
	`)
}

func TestClientGoneBeforeAccept(t *testing.T) { // un-st-client-gone-before-accept
	both(t, listening+`
		connect s /s
		send s hi = 2
		close s
		poll l = IN
		accept l c = 0
		poll c = IN|OUT|HUP|RDHUP
		recv c = "hi"
		recv c = 0
		send c x = EPIPE
	`)
}

func TestCloseWithUnreadDataResets(t *testing.T) {
	both(t, `
		pair a b TYPE
		send a unread = 6
		close b
		recv a = ECONNRESET
		recv a = 0
	`)
}

func TestSocketpairConnects(t *testing.T) { // un-socketpair, un-dup-fork
	both(t, listening+`
		pair a b TYPE
		connect a /s = EISCONN
		connect a unspec = EINVAL
		poll a = OUT
		name a = unnamed
		peer a = unnamed
		send b x = 1
		recv a = "x"
	`)
	run(t, `
		socket l dgram
		bind l /dg
		pair a b dgram
		connect a /dg = 0
		connect a unspec = 0
		poll a = OUT
		peer a = ENOTCONN
		peer b = unnamed
		send b x = 1
	`)
}

func TestTypesMustAgree(t *testing.T) { // un-eprototype-matrix
	kinds := []string{"stream", "dgram", "seqpacket"}
	var b strings.Builder
	for _, typ := range kinds {
		for _, name := range []string{"/", "@", "/not-listening-"} {
			b.WriteString("socket l " + typ + "\nbind l " + name + typ + "\n")
			if typ != "dgram" && len(name) == 1 {
				b.WriteString("listen l 9\n")
			}
		}
	}
	for _, client := range kinds {
		for _, target := range kinds {
			path, abstract := "EPROTOTYPE", "ECONNREFUSED"
			if client == target {
				path, abstract = "0", "0"
			} else {
				b.WriteString("socket s " + client + "\nconnect s /not-listening-" + target + " = EPROTOTYPE\n")
			}
			b.WriteString("socket s " + client + "\nconnect s /" + target + " = " + path + "\n")
			b.WriteString("socket s " + client + "\nconnect s @" + target + " = " + abstract + "\n")
		}
	}
	run(t, b.String())
}

func TestOrderOfChecks(t *testing.T) { // un-eprototype-order, un-st-eiscon-vs-full
	run(t, `
		socket d dgram
		bind d /s
		chmod /s 755
		file /reg
		as 1000 1000
		socket s stream
		connect s /s = EACCES
		connect s /reg = EACCES
		as root
		connect s /s = EPROTOTYPE
		connect s /reg = ECONNREFUSED
		socket l stream
		bind l /st
		listen l 16
		connect s /st = 0
		connect s /s = EPROTOTYPE
		connect s /none = ENOENT
		connect s inet = EINVAL
		connect s auto = EINVAL
		connect l /s = EPROTOTYPE
		connect l /none = ENOENT
	`)
	both(t, `
		socket l TYPE
		bind l /s
		listen l 0
		socket s TYPE nonblocking
		connect s /s = 0
		connect s /s = EAGAIN       # connected, and the backlog is full
		nonblocking s off
		sndtimeo s 300ms
		go connect s /s
		advance 299ms
		await s = waits
		advance 1ms
		await s = EAGAIN at 300ms
		accept l c
		connect s /s = EISCONN
		socket l2 TYPE
		bind l2 /l2
		listen l2 0
		socket f TYPE
		connect f /l2 = 0
		nonblocking l on
		connect l /l2 = EAGAIN      # a listener connects to a full one
	`)
}

func TestWrongTypesAndProtocols(t *testing.T) { // un-raw-type
	run(t, `
		socket x rdm = ESOCKTNOSUPPORT
		socket s raw = 0
		socket l dgram
		bind l /a
		connect s /a = 0
		send s x = 1
		recv l = "x"
		accept s c = EOPNOTSUPP
		listen s 1 = EOPNOTSUPP
	`)
}

func TestUnconnectedStream(t *testing.T) { // seen on Linux 6.18
	run(t, listeningStream+`
		recv s = EINVAL
		recv l = EINVAL
		send s x = ENOTCONN
		sendto s x /s = EOPNOTSUPP
		connect s /s
		sendto s x /s = EISCONN
		bind s /later = 0
		name s = /later
		socket q seqpacket
		recv q = ENOTCONN
		send q x = ENOTCONN
		sendto q x /s = ENOTCONN
	`)
}

var listeningStream = strings.ReplaceAll(listening, "TYPE", "stream")
