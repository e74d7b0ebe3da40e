// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"dialtone/errno"
	"dialtone/personality"
)

// TestTimeout_beyondTheClock: a time that ends beyond what a clock can tell is for ever, not past (sock_set_timeout).
func TestTimeout_beyondTheClock(t *testing.T) {
	const most = int64(forever / time.Second)
	for _, sec := range []int64{most - 1, most, most + 1, 1<<63 - 1} {
		m, s, _ := inState(t, personality.Fresh)
		m.Advance(2 * time.Second)
		value := binary.LittleEndian.AppendUint64(nil, uint64(sec))
		value = binary.LittleEndian.AppendUint64(value, 999999)
		if e := s.SetOption(&Call{}, SolSocket, SoRcvTimeo, value); e != errno.OK {
			t.Fatalf("%d s: %s", sec, e.Name())
		}
		s.Core.Lock()
		if at := s.until(s.opts.get().receiveTimeout); at != forever {
			t.Errorf("%d s: until %v, at %v", sec, at, s.Core.NowLocked())
		}
		s.Core.Unlock()
		b, e := s.Option(&Call{}, SolSocket, SoRcvTimeo)
		if want := make([]byte, 16); sec >= most && (e != errno.OK || !bytes.Equal(b, want)) {
			t.Errorf("%d s: reads back % x, %s", sec, b, e.Name())
		}
	}
}

func TestPoll_beyondTheClock(t *testing.T) {
	m, s, _ := inState(t, personality.Fresh)
	m.Advance(2 * time.Second)
	call, done := &Call{}, make(chan errno.Errno, 1)
	m.Go(func() {
		_, e := Poll(call, s.Core, []PollFile{{Socket: s, Events: In}}, forever-time.Second)
		done <- e
	})
	m.Settle()
	call.Cancel(s.Core)
	if e := <-done; e != errno.ECANCELED {
		t.Errorf("it has not waited: %s", e.Name())
	}
}
