// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"testing"

	"dialtone/clock"
	"dialtone/errno"
	"dialtone/personality"
	"dialtone/socket"
)

// TestDeferAccept: TCP_DEFER_ACCEPT reads back as what so many retransmissions take. By experiment on Linux 6.18.
func TestDeferAccept(t *testing.T) {
	c := &stream{stack: New(socket.NewCore(clock.NewManual(), personality.Linux), 1), opts: &plainOptions}
	for _, test := range []struct{ set, get int }{
		{-1, 0},
		{0, 0},
		{1, 1},
		{2, 3},
		{4, 7},
		{8, 15},
		{100, 127},
		{3248, 3367},
		{29887, 29887},
		{29888, 29887},
		{1e9, 29887},
	} {
		if e := c.SetOption(nil, solTCP, tcpDeferAccept, socket.Int(test.set)); e != errno.OK {
			t.Errorf("%d: %s", test.set, e.Name())
		}
		if b, e := c.Option(nil, solTCP, tcpDeferAccept); e != errno.OK || socket.IntValue(b) != test.get {
			t.Errorf("%d: %d, %s; want %d", test.set, socket.IntValue(b), e.Name(), test.get)
		}
	}
}
