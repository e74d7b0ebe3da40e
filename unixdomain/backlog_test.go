// SPDX-License-Identifier: Apache-2.0

package unixdomain_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestBacklogAdmitsOneMore(t *testing.T) { // un-st-backlog-nb
	for backlog, admitted := range map[int]int{0: 1, 1: 2, 2: 3, 5: 6} {
		script := fmt.Sprintf("socket l stream\nbind l /s\nlisten l %d\n", backlog)
		for range admitted {
			script += "socket s stream nonblocking\nconnect s /s = 0\n"
		}
		run(t, script+`
			socket s stream nonblocking
			connect s /s = EAGAIN
			poll s = OUT|HUP
			name s = unnamed
			peer s = ENOTCONN
			error s = 0
			poll s out = OUT|HUP
			poll l = IN
			connect s /s = EAGAIN
			accept l c
			connect s /s = 0
			peer s = /s
		`)
	}
	many := "socket l stream\nbind l /s\nlisten l -1\n"
	for range 10 {
		many += "socket s stream nonblocking\nconnect s /s = 0\n"
	}
	run(t, many)
}

// full is a listener whose backlog is full, and t, who blocks.
const full = `
	socket l TYPE
	bind l /s
	listen l 0
	socket s TYPE
	connect s /s = 0
	socket t TYPE
`

func TestBlockingConnectWaitsForRoom(t *testing.T) { // un-st-backlog-block
	both(t, full+`
		go connect t /s
		advance 300ms
		await t = waits
		accept l c
		await t = 0 at 300ms
		peer t = /s
		poll t = OUT
	`)
}

func TestBlockingConnectTimesOut(t *testing.T) { // un-st-backlog-sndtimeo
	both(t, full+`
		sndtimeo t 300ms
		go connect t /s
		advance 1s
		await t = EAGAIN at 300ms
		poll t = OUT|HUP
		peer t = ENOTCONN
		error t = 0
		accept l c
		connect t /s = 0
	`)
}

func TestBlockingConnectInterrupted(t *testing.T) { // un-st-backlog-eintr-*
	for _, timeout := range []string{"", "sndtimeo t 2s"} {
		both(t, full+timeout+`
			go connect t /s
			advance 200ms
			signal t
			await t = EINTR at 200ms
			poll t = OUT|HUP
			accept l c
			nonblocking t on
			connect t /s = 0
		`)
	}
	both(t, full+`
		go connect t /s
		advance 200ms
		signal t restart
		await t = waits
		advance 300ms
		accept l c
		await t = 0 at 500ms
		nonblocking t on
		connect t /s = EAGAIN
	`)
	both(t, full+`
		sndtimeo t 2s
		go connect t /s
		advance 200ms
		signal t restart
		await t = EINTR at 200ms
	`)
}

func TestListenerClosedWhileConnectWaits(t *testing.T) { // un-st-backlog-listener-close
	both(t, full+`
		go connect t /s
		advance 300ms
		close l
		await t = ECONNREFUSED at 300ms
		poll t = OUT|HUP
		error t = 0
		poll s = IN|OUT|ERR|HUP|RDHUP
		peer s = /s
		error s = ECONNRESET
		recv s = 0
		recv s = 0
		send s x = EPIPE
	`)
}

func TestListenerShutdownIsForEver(t *testing.T) { // un-st-backlog-listener-shutdown
	both(t, full+`
		sndtimeo t 1500ms
		go connect t /s
		advance 300ms
		shutdown l RD
		await t = waits                    # nobody tells it
		advance 1200ms
		await t = ECONNREFUSED at 1.5s
		socket u TYPE
		connect u /s = ECONNREFUSED
		poll l = IN|RDHUP
		nonblocking l on
		accept l c1 = 0
		accept l c2 = EAGAIN
		listen l 5
		connect u /s = ECONNREFUSED
		nonblocking l off
		accept l c3 = EINVAL               # who would wait
	`)
}

func TestListenAgainLetsIn(t *testing.T) { // un-st-backlog-relisten
	both(t, full+`
		go connect t /s
		advance 300ms
		listen l 5
		await t = 0 at 300ms
	`)
}

func TestAcceptWaits(t *testing.T) {
	both(t, `
		socket l TYPE
		bind l /s
		listen l 0
		go accept l c
		advance 1s
		await l = waits
		socket s TYPE
		connect s /s = 0
		await l = 0 at 1s
	`)
	both(t, `
		socket l TYPE
		bind l /s
		listen l 0
		go accept l c
		advance 1s
		shutdown l RD
		await l = EINVAL at 1s
	`)
}

func TestWhoWaitsLongestComesFirst(t *testing.T) {
	script := full + "go connect t /s\n"
	for _, name := range []string{"u", "v", "w"} {
		script += "socket " + name + " TYPE\ngo connect " + name + " /s\n"
	}
	both(t, script+`
		advance 1s
		accept l c
		await t = 0 at 1s
		await u = waits
		advance 1s
		accept l c
		await u = 0 at 2s
		signal v                       # who has left is not woken in vain
		accept l c
		await v = EINTR at 2s
		await w = 0 at 2s
	`)
}

func TestRoomIsPassedOn(t *testing.T) {
	both(t, full+`
		link /s /other
		socket u TYPE
		go connect t /s
		go connect u /other
		remove /s
		accept l c
		await t = ENOENT at 0s         # it was woken, and had no use for the room
		await u = 0 at 0s
	`)
	run(t, ab+`
		socket s1 dgram
		connect s1 /a
		`+strings.Repeat("send s1 x = 1\n", 11)+`
		go sendto s late /a
		go sendto b late /a
		remove /a
		recv a = "x"
		await s = ENOENT at 0s
		await b = ENOENT at 0s
	`)
}
