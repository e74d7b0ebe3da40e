// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"testing"
	"unsafe"
)

// TestStream_size: an idle connection is a stream and little more, and the allocator's next size is 576 bytes.
func TestStream_size(t *testing.T) {
	if n := unsafe.Sizeof(stream{}); n > 512 {
		t.Errorf("%d bytes, want 512 at most", n)
	}
}
