// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"

	"dialtone"
	"dialtone/inet"
)

// A dial to one's own closed port may get that very port as its own, and TCP connects a socket to itself (RFC 9293, 3.5).
// Nobody wants that: the dial is tried again, as package net does, and refused.
func TestDialDoesNotMeetItself(t *testing.T) {
	met := 0
	for seed := range uint64(20) {
		for _, address := range []string{"127.0.0.1:40000", "localhost:40000"} {
			synctest.Test(t, func(t *testing.T) {
				h := dialtone.NewNetwork(dialtone.WithSeed(seed)).Host("host.test")
				h.Stack().SetSysctl(func(s *inet.Sysctl) { s.IPLocalPortFirst, s.IPLocalPortLast = 40000, 40001 })
				sockets := 0
				d := dialtone.Dialer{Host: h, Control: func(_, _ string, _ syscall.RawConn) error { sockets++; return nil }}
				if c, err := d.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("seed %d, %s: %v, %v", seed, address, c, err)
				}
				if sockets > 1 && address == "127.0.0.1:40000" {
					met++
				}
			})
		}
	}
	if met == 0 {
		t.Error("no dial met itself, so that nothing was tried")
	}
}
