// SPDX-License-Identifier: Apache-2.0

package inet

import "dialtone/sockaddr"

// Waiting returns the peers of the connections that wait to be accepted, first come first; none where the socket does
// not listen. A supervisor asks it, to make each known to the hosted listener.
func (c *stream) Waiting() []sockaddr.Addr {
	if c.queue == nil {
		return nil
	}
	peers := make([]sockaddr.Addr, 0, c.queue.ready.len())
	for _, child := range c.queue.ready.all() {
		peers = append(peers, addr(child.family, child.remote))
	}
	return peers
}
