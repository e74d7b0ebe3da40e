// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// icmp sends an ICMP error about the last packet of a socket, as the packet's destination: from the host at the other
// end of the cable, or from the host itself if the packet stayed on it.
func (w *world) icmp(a conformance.ICMP) error {
	self := w.hosts[w.hostOf(a.Process)]
	r, err := w.Call(conformance.Call{
		Process: a.Process, Name: "getsockname", Args: []conformance.Arg{{Kind: conformance.ArgFD, Int: a.FD}},
	})
	if err != nil {
		return err
	}
	local, err := netip.ParseAddrPort(r.Value)
	if err != nil {
		return fmt.Errorf("icmp: socket %s has no IP address: %q", a.Socket, r.Value)
	}
	if err := self.capture.read(); err != nil {
		return err
	}
	var last *packet
	for i, p := range self.capture.sent {
		if p.source == local || local.Addr().IsUnspecified() && p.source.Port() == local.Port() {
			last = &self.capture.sent[i]
		}
	}
	if last == nil {
		return fmt.Errorf("icmp: socket %s at %v has sent no packet", a.Socket, local)
	}
	sender := self
	for _, c := range w.c.Cables {
		switch self.name {
		case c.HostA:
			sender = w.hosts[c.HostB]
		case c.HostB:
			sender = w.hosts[c.HostA]
		}
	}
	if last.destination.Addr().IsLoopback() {
		sender = self
	}
	return sender.do(func() error { return sendRaw(icmpPacket(a, last), last.source.Addr()) })
}

// icmpPacket builds the whole IP packet: RFC 792 for ICMP, RFC 4443 for ICMPv6. The packet in question is quoted whole;
// it is short.
func icmpPacket(a conformance.ICMP, about *packet) []byte {
	message := append([]byte{byte(a.Type), byte(a.Code), 0, 0, 0, 0, 0, 0}, about.data...)
	src, dst := about.destination.Addr(), about.source.Addr()
	if dst.Is4() {
		binary.BigEndian.PutUint16(message[6:], uint16(a.MTU)) // RFC 1191
		if a.Type == 5 {
			copy(message[4:8], src.AsSlice()) // a redirect names the router
		}
		binary.BigEndian.PutUint16(message[2:], checksum(message))
		b := make([]byte, 20, 20+len(message))
		b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_ICMP
		binary.BigEndian.PutUint16(b[2:], uint16(20+len(message)))
		copy(b[12:], src.AsSlice())
		copy(b[16:], dst.AsSlice())
		return append(b, message...) // the kernel fills in the header's checksum, raw(7)
	}
	binary.BigEndian.PutUint32(message[4:], uint32(a.MTU))
	pseudo := append(append([]byte{}, src.AsSlice()...), dst.AsSlice()...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(message)))
	pseudo = append(pseudo, 0, 0, 0, unix.IPPROTO_ICMPV6)
	binary.BigEndian.PutUint16(message[2:], checksum(append(pseudo, message...)))
	b := make([]byte, 40, 40+len(message))
	b[0], b[6], b[7] = 0x60, unix.IPPROTO_ICMPV6, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(message)))
	copy(b[8:], src.AsSlice())
	copy(b[24:], dst.AsSlice())
	return append(b, message...)
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// sendRaw sends a packet with its own IP header.
func sendRaw(b []byte, to netip.Addr) error {
	if to.Is4() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, b, 0, &unix.SockaddrInet4{Addr: to.As4()})
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, b, 0, &unix.SockaddrInet6{Addr: to.As16()})
}
