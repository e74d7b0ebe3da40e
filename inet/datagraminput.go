// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"net/netip"
	"slices"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/wire"
)

// datagrams are the bound sockets of one datagram protocol.
type datagrams struct {
	ports
	bound map[uint16][]*datagram // by local port, in the order they were bound
}

// udp returns the sockets of UDP, or of UDP-Lite (udplite(7)).
func (s *Stack) udp(p wire.Protocol) *datagrams {
	if p == wire.UDPLite {
		return &s.udpLite
	}
	return &s.udpPorts
}

// add makes d hold a port.
func (t *datagrams) add(d *datagram, port uint16) {
	if t.bound == nil {
		t.bound = map[uint16][]*datagram{}
	}
	t.take(&d.hold, port)
	t.bound[port] = append(t.bound[port], d)
}

// remove lets d's port go, if it holds one.
func (t *datagrams) remove(d *datagram) {
	port := d.hold.port
	if port == 0 {
		return
	}
	if all := slices.DeleteFunc(t.bound[port], func(o *datagram) bool { return o == d }); len(all) == 0 {
		delete(t.bound, port)
	} else {
		t.bound[port] = all
	}
	t.drop(&d.hold)
}

// connected reports whether a socket has both ends.
func (t *datagrams) connected(local, remote netip.AddrPort) bool {
	return slices.ContainsFunc(t.bound[local.Port()], func(d *datagram) bool {
		return d.local == local && d.remote == remote
	})
}

// receiver returns the socket that a datagram from remote to local that came by in is for: the one with the most that
// fits; of several those that share the port with the one that was bound last, and of these the one that share chooses.
func (t *datagrams) receiver(local, remote netip.AddrPort, in *Interface) *datagram {
	var room [8]*datagram
	group := room[:0]
	most := 0
	for _, d := range t.bound[local.Port()] {
		if !d.takes(local, remote, in) {
			continue
		}
		score := 0
		if d.hold.addr == local.Addr() {
			score++
		}
		if d.remote.IsValid() {
			score += 2
		}
		if d.sock.Options().Device() != "" {
			score += 2
		}
		switch {
		case score < most:
		case len(group) > 0 && score == most && !d.remote.IsValid() && d.hold.shares(&group[0].hold):
			group = append(group, d)
		default:
			group, most = append(group[:0], d), score
		}
	}
	if len(group) == 0 {
		return nil
	}
	return group[group[0].stack.share(len(group), local, remote)]
}

// takes reports whether a datagram from remote to local that came by in is for d: a connected socket hears its peer alone,
// and one connected to port 0 all ports of its peer (compute_score).
func (d *datagram) takes(local, remote netip.AddrPort, in *Interface) bool {
	dev := d.sock.Options().Device()
	switch {
	case !d.hold.covers(local.Addr()), dev != "" && dev != d.stack.arrival(in, local.Addr()):
		return false
	case !d.remote.IsValid():
		return true
	}
	return d.remote.Addr() == remote.Addr() && (d.remote.Port() == 0 || d.remote.Port() == remote.Port())
}

// inputUDP takes a datagram in, of UDP or UDP-Lite.
func (s *Stack) inputUDP(p *wire.Packet, in *Interface, to audience) {
	local := netip.AddrPortFrom(p.Dst, p.UDP.DstPort)
	remote := netip.AddrPortFrom(p.Src, p.UDP.SrcPort)
	table := s.udp(p.Proto)
	if to == everybody {
		for _, d := range table.bound[local.Port()] {
			if d.takes(local, remote, in) && (!p.Dst.IsMulticast() || d.hearsGroup(p.Dst, p.Src, in)) {
				d.input(p, in) // nobody is told of one that is refused: it was for many
			}
		}
		return
	}
	d := table.receiver(local, remote, in)
	if d == nil || !d.input(p, in) {
		typ, code := icmpPortUnreachable.of(p)
		s.sendICMPError(p, in, typ, code, 0)
	}
}

// input queues a datagram; one that finds no room is lost, and so is one that access control does not let in. False
// means that its sender is to be told that nobody is there.
func (d *datagram) input(p *wire.Packet, in *Interface) bool {
	sender, message, admission := d.mayArrive(p, in)
	if admission != socket.Admit {
		return admission == socket.Lose
	}
	r := received{from: netip.AddrPortFrom(p.Src, p.UDP.SrcPort), payload: p.UDP.Payload, buffer: p.UDP.Buffer}
	r.sender, r.message = sender, message
	d.push(&r, p, in)
	return true
}

// push queues r, which p brought by in, unless there is no room.
func (d *datagram) push(r *received, p *wire.Packet, in *Interface) {
	size := len(r.payload)
	if d.bytes > 0 && d.bytes+size > d.sock.ReceiveBuffer() {
		d.drops++
		return
	}
	if r.ttl, r.tos = p.TTL, p.TOS; d.annotates() {
		r.notes = d.note(p.Src, netip.AddrPortFrom(p.Dst, p.UDP.DstPort), in)
	}
	if ip := r.from.Addr(); ip.Is6() && ip.IsLinkLocalUnicast() {
		r.scope = uint32(in.Index)
	}
	r.buffer.Hold()
	d.queue.push(*r)
	d.bytes += size + datagramOverhead
	d.sock.Wake(socket.In)
}

// datagramOverhead is what the bookkeeping of one datagram counts in SO_RCVBUF, in bytes; it bounds how many empty ones
// can wait. Linux counts the size of its buffer descriptor, which is larger.
const datagramOverhead = 256

// heard takes an ICMP error about one of the socket's datagrams (udp_err).
func (d *datagram) heard(h *heard) {
	told, fatal := true, h.meaning.UDP
	if h.meaning.Errno == errno.EMSGSIZE {
		if d.opts.discovery(h.is4) < pmtuInterface {
			d.stack.learnMTU(h.about.Dst, h.info)
		}
		told, fatal = d.toldOfSize(h.is4)
	}
	switch {
	case !told:
		return
	case d.opts.recvErr(h.is4):
		d.errors.add(h, d.family, d.annotateError(h))
	case !d.remote.IsValid(), !fatal:
		return
	}
	d.sock.SetError(h.meaning.Errno)
}

// empty forgets what waits to be read.
func (d *datagram) empty() {
	for _, r := range d.queue.all() {
		r.buffer.Release()
	}
	d.queue, d.bytes = fifo[received]{}, 0
}
