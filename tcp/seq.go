// SPDX-License-Identifier: Apache-2.0

package tcp

// Sequence numbers are compared modulo 2^32 (RFC 9293, 3.4): a comes before b if it is less than 2^31 behind it.

func before(a, b uint32) bool   { return int32(a-b) < 0 }
func beforeEq(a, b uint32) bool { return int32(a-b) <= 0 }
func after(a, b uint32) bool    { return int32(a-b) > 0 }
