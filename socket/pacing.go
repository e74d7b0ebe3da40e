// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"encoding/binary"
	"math"
)

// pacing is SO_MAX_PACING_RATE, in bytes per second. It is kept and does nothing: on Linux TCP's own pacing and the queueing
// discipline fq (tc-fq(8)) obey it, and here there is neither. The zero pacing has no limit.
type pacing struct {
	set  bool
	rate uint64
}

// paced reads a rate that is set. One of 32 bits, all of them set, is no limit (sk_setsockopt).
func paced(value []byte) pacing {
	if len(value) >= 8 {
		return pacing{true, binary.LittleEndian.Uint64(value)}
	}
	if n := binary.LittleEndian.Uint32(value); n != math.MaxUint32 {
		return pacing{true, uint64(n)}
	}
	return pacing{}
}

func (p pacing) value() []byte {
	if !p.set {
		return binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	}
	return binary.LittleEndian.AppendUint64(nil, p.rate)
}
