// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"

	"dialtone/errno"
)

// SourceFor returns the address that packets to dst would come from; ok is false if there is no way to dst. Address
// selection asks it (RFC 6724).
func (s *Stack) SourceFor(dst netip.Addr) (source netip.Addr, ok bool) {
	s.core.Lock()
	defer s.core.Unlock()
	w, _, e := s.lookUp(query{to: dst})
	return w.source, e == errno.OK
}
