// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"testing"
)

// TestBuffer_heldStays: what lies in a buffer stays while a packet or anybody else holds it.
func TestBuffer_heldStays(t *testing.T) {
	for _, n := range []int{1, 300, 1400, 2048, 2049, 16 << 10, 16<<10 + 1, MaxText} {
		want := bytes.Repeat([]byte{7}, n)
		p := NewPacket()
		p.TCP.Payload, p.TCP.Buffer = Copy(want, 0)
		clone := p.Clone()
		p.Free()
		Copy(bytes.Repeat([]byte{9}, n), 0) // would take the memory if it were free
		if !bytes.Equal(clone.TCP.Payload, want) {
			t.Errorf("%d bytes changed while a clone of their packet held them", n)
		}
		clone.Free()
	}
}

func TestBuffer_releasedTwicePanics(t *testing.T) {
	_, b := Copy(make([]byte, 1400), 0)
	b.Release()
	defer func() {
		if recover() == nil {
			t.Error("nobody said that a buffer was released twice")
		}
	}()
	b.Release()
}

// TestCopy_sizes: what is worth keeping, up to what one segment may carry, fits a buffer that has no more than eight times
// the room; and there is room for more where it was asked for.
func TestCopy_sizes(t *testing.T) {
	for n := leastBuffer; n <= MaxText; n++ {
		if b := NewBuffer(n); b == nil || len(b.memory) < n || len(b.memory) > 8*n {
			t.Fatalf("%d bytes: %v", n, b)
		} else {
			b.Release()
		}
	}
	for _, room := range []int{1, 100, 2000, 5000, MaxText} {
		if p, _ := Copy([]byte("x"), room); string(p) != "x" || cap(p) < room {
			t.Errorf("%q with room for %d, want %d", p, cap(p), room)
		}
	}
}
