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
