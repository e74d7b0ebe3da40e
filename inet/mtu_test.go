// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"testing"
	"time"

	"dialtone/clock"
	"dialtone/personality"
	"dialtone/socket"
)

// TestLearnMTU: what is believed of a way, and for how long.
func TestLearnMTU(t *testing.T) {
	manual := clock.NewManual()
	s := New(socket.NewCore(manual, personality.Linux), 1)
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	expect := func(when string, to netip.Addr, want int) {
		t.Helper()
		s.core.Lock()
		defer s.core.Unlock()
		if n := s.mtuTo(to, 1500); n != want {
			t.Errorf("%s: %d to %v, want %d", when, n, to, want)
		}
	}
	learn := func(to netip.Addr, info uint32) {
		s.core.Lock()
		defer s.core.Unlock()
		s.learnMTU(to, info)
	}
	expect("at first", four, 1500)
	learn(four, 0xffff0000|1400) // the upper half is not in use
	learn(six, 1279)
	expect("told", four, 1400)
	expect("less than any link has", six, 1500)
	learn(four, 0)
	learn(six, 1280)
	expect("told by an old router", four, 552)
	expect("told", six, 1280)
	manual.Advance(300 * time.Second)
	learn(four, 1400)
	learn(six, 9000)
	expect("told of more", four, 552)
	expect("told of more", six, 1280)
	manual.Advance(300 * time.Second)
	expect("after ten minutes", four, 1500)
	expect("after ten minutes", six, 1500)
}
