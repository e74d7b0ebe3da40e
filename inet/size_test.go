// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"testing"
	"unsafe"
)

// TestStream_size: an idle connection is a stream and little more, and the allocator's next size is 704 bytes.
func TestStream_size(t *testing.T) {
	if n := unsafe.Sizeof(stream{}); n > 640 {
		t.Errorf("%d bytes, want 640 at most", n)
	}
}
