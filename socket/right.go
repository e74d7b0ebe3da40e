// SPDX-License-Identifier: Apache-2.0

package socket

// Right is what a value in [Message.Rights] implements if somebody counts who holds it. The sender's hold goes along
// with the message; the receiver takes it over. Both methods are called with the host's lock held, and must not call
// back into the socket layer.
type Right interface {
	// HoldRight counts one more: a message was looked at with MSG_PEEK, and stays.
	HoldRight()
	// ReleaseRight counts one less: a message was thrown away unread.
	ReleaseRight(c *Call)
}

// HoldRight implements [Right].
func (s *Socket) HoldRight() { s.refs++ }

// ReleaseRight implements [Right].
func (s *Socket) ReleaseRight(c *Call) { s.release(c) }
