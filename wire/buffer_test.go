// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"testing"
)

// TestBuffer_heldStays: what lies in a buffer stays while a packet or anybody else holds it.
func TestBuffer_heldStays(t *testing.T) {
	for _, n := range []int{1, 300, 1400, 2048, 2049, 16 << 10, MaxText} {
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

// TestCopy_largest: what one segment may carry fits one buffer.
func TestCopy_largest(t *testing.T) {
	if p, b := Copy(make([]byte, MaxText), 0); b == nil || len(p) != MaxText {
		t.Errorf("%d bytes, buffer %v", len(p), b)
	}
}
