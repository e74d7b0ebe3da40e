// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

// capture is a packet(7) socket that has seen all IP packets that the host sent.
type capture struct {
	fd   int
	sent []packet
}

// packet is an IP packet from its header on.
type packet struct {
	at                  time.Time
	data                []byte
	source, destination netip.AddrPort
	protocol            int
	transport           int // offset of the transport header
}

// startCapture opens the socket; it must run on the host's thread, before the first packet that matters.
func (h *host) startCapture() error {
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in network byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, all)
	if err != nil {
		return err
	}
	h.capture = &capture{fd: fd}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

func (c *capture) close() { unix.Close(c.fd) }

// read takes what has been captured since the last time.
func (c *capture) read() error {
	buf, control := make([]byte, 65536), make([]byte, 256)
	for {
		n, cn, _, from, err := unix.Recvmsg(c.fd, buf, control, 0)
		if err == unix.EAGAIN {
			return nil
		}
		if err != nil {
			return err
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok || link.Pkttype != unix.PACKET_OUTGOING {
			continue
		}
		p := packet{at: timestamp(control[:cn]), data: append([]byte(nil), buf[:n]...)}
		if p.parse() {
			c.sent = append(c.sent, p)
		}
	}
}

func timestamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err == nil && len(messages) > 0 && len(messages[0].Data) >= 16 {
		d := messages[0].Data
		return time.Unix(int64(binary.NativeEndian.Uint64(d)), int64(binary.NativeEndian.Uint64(d[8:])))
	}
	return time.Now()
}

// parse fills in addresses and ports; false for what is neither TCP nor UDP over IP.
func (p *packet) parse() bool {
	var src, dst netip.Addr
	switch {
	case len(p.data) >= 20 && p.data[0]>>4 == 4:
		src, dst = netip.AddrFrom4([4]byte(p.data[12:16])), netip.AddrFrom4([4]byte(p.data[16:20]))
		p.protocol, p.transport = int(p.data[9]), int(p.data[0]&15)*4
	case len(p.data) >= 40 && p.data[0]>>4 == 6:
		src, dst = netip.AddrFrom16([16]byte(p.data[8:24])), netip.AddrFrom16([16]byte(p.data[24:40]))
		p.protocol, p.transport = int(p.data[6]), 40
	default:
		return false
	}
	if p.protocol != unix.IPPROTO_TCP && p.protocol != unix.IPPROTO_UDP || len(p.data) < p.transport+8 {
		return false
	}
	ports := p.data[p.transport:]
	p.source = netip.AddrPortFrom(src, binary.BigEndian.Uint16(ports))
	p.destination = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(ports[2:]))
	return true
}

// isSYN tells the first segment of a connection: SYN without ACK.
func (p *packet) isSYN() bool {
	return p.protocol == unix.IPPROTO_TCP && len(p.data) > p.transport+13 && p.data[p.transport+13]&0x12 == 0x02
}

// syns answers when a host sent SYNs to an address, counted from the first one.
func (w *world) syns(c conformance.Call) (conformance.Result, error) {
	h := w.hosts[w.hostOf(c.Process)]
	if err := h.capture.read(); err != nil {
		return conformance.Result{}, err
	}
	want, err := netip.ParseAddrPort(conformance.AddressText(c.Args[0].Address.Bytes, interfaceName))
	if err != nil {
		return conformance.Result{}, err
	}
	var first time.Time
	var times []string
	for _, p := range h.capture.sent {
		if !p.isSYN() || p.destination != want {
			continue
		}
		if first.IsZero() {
			first = p.at
		}
		times = append(times, p.at.Sub(first).Round(time.Millisecond).String())
	}
	if times == nil {
		return conformance.Result{Value: "none"}, nil
	}
	return conformance.Result{Value: strings.Join(times, " ")}, nil
}

func (w *world) hostOf(process string) string {
	for _, p := range w.c.Processes {
		if p.Name == process {
			return p.Host
		}
	}
	return ""
}
