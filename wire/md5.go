// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"crypto/md5"
	"encoding/binary"
)

// Signature returns the MD5 signature of the segment that p carries (RFC 2385, 2.0): over the pseudo header, the TCP header
// without options and with a checksum of zero, the payload, and the key. Its option counts in the header's length, whether
// it is there yet or not; that length is the one which Append gives it. The error is ErrOptions: with it they don't fit.
func (p *Packet) Signature(key []byte) (sum [md5.Size]byte, err error) {
	q := Packet{Src: p.Src, Dst: p.Dst, Proto: TCP, TCP: p.TCP}
	q.TCP.Options.MD5, q.TCP.Payload, q.TCP.Buffer = &sum, nil, nil
	header, err := appendTCP(nil, &q)
	if err != nil {
		return sum, err
	}
	header = header[:tcpHeaderLen:tcpHeaderLen]
	length := len(p.TCP.Payload) + int(header[12]>>4)*4
	header[16], header[17] = 0, 0

	h := md5.New()
	src, dst := p.Src.AsSlice(), p.Dst.AsSlice()
	h.Write(src)
	h.Write(dst)
	if p.Is4() {
		h.Write(binary.BigEndian.AppendUint16([]byte{0, byte(TCP)}, uint16(length)))
	} else {
		h.Write(append(binary.BigEndian.AppendUint32(nil, uint32(length)), 0, 0, 0, byte(TCP))) // RFC 8200, 8.1
	}
	h.Write(header)
	h.Write(p.TCP.Payload)
	h.Write(key)
	h.Sum(sum[:0])
	return sum, nil
}
