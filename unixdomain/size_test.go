// SPDX-License-Identifier: Apache-2.0

package unixdomain

import (
	"testing"
	"unsafe"
)

// TestEndpoint_size: an idle connection is two endpoints and their sockets, and the allocator's next size is 176 bytes.
func TestEndpoint_size(t *testing.T) {
	if n := unsafe.Sizeof(endpoint{}); n > 160 {
		t.Errorf("%d bytes, want 160 at most", n)
	}
}
