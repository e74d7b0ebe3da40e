// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"slices"
	"time"

	"dialtone/wire"
)

// Bounds of reassembly: how long the rest of a packet is waited for (RFC 791 has 15 s, Linux's ipfrag_time 30), how many
// packets are put together at a time, and from how many pieces each.
const (
	reassemblyTime = 30 * time.Second
	mostPartial    = 64
	mostPieces     = 128
)

// reassembly puts packets from outside together that come in pieces. Its zero value is empty.
type reassembly struct {
	partials []*partial // the oldest first
}

type packetID struct {
	src, dst netip.Addr
	proto    wire.Protocol
	id       uint32
}

// partial is a packet some pieces of which have come.
type partial struct {
	packetID
	since  time.Duration
	pieces []wire.Fragment // by their offsets
	spoilt bool            // pieces overlap: nothing may come of it (RFC 5722, and Linux for IPv4, too)
}

// add takes a piece. It returns the packet, if that was the last one missing. The piece's memory is kept.
func (r *reassembly) add(now time.Duration, f wire.Fragment) ([]byte, error) {
	r.partials = slices.DeleteFunc(r.partials, func(p *partial) bool { return now-p.since >= reassemblyTime })
	id := packetID{f.Src, f.Dst, f.Proto, f.ID}
	at := slices.IndexFunc(r.partials, func(p *partial) bool { return p.packetID == id })
	if at < 0 {
		if len(r.partials) == mostPartial {
			r.partials = slices.Delete(r.partials, 0, 1)
		}
		at = len(r.partials)
		r.partials = append(r.partials, &partial{packetID: id, since: now})
	}
	p := r.partials[at]
	p.add(f)
	if p.spoilt || !p.complete() {
		return nil, nil
	}
	r.partials = slices.Delete(r.partials, at, at+1)
	var all []byte
	for _, f := range p.pieces {
		all = append(all, f.Payload...)
	}
	return p.pieces[0].Whole(all)
}

// add puts f in its place; one that has come already changes nothing.
func (p *partial) add(f wire.Fragment) {
	if p.spoilt {
		return
	}
	at, _ := slices.BinarySearchFunc(p.pieces, f.Offset, func(x wire.Fragment, offset int) int { return x.Offset - offset })
	if at < len(p.pieces) {
		if next := &p.pieces[at]; next.Offset == f.Offset && len(next.Payload) == len(f.Payload) && next.More == f.More {
			return
		}
	}
	overlaps := at > 0 && end(&p.pieces[at-1]) > f.Offset || at < len(p.pieces) && end(&f) > p.pieces[at].Offset ||
		!f.More && at < len(p.pieces) || at > 0 && !p.pieces[at-1].More // something behind the last one
	if overlaps || len(p.pieces) == mostPieces {
		p.spoilt, p.pieces = true, nil
		return
	}
	p.pieces = slices.Insert(p.pieces, at, f)
}

// complete reports whether nothing is missing.
func (p *partial) complete() bool {
	next := 0
	for i := range p.pieces {
		if p.pieces[i].Offset != next {
			return false
		}
		next = end(&p.pieces[i])
	}
	return len(p.pieces) > 0 && !p.pieces[len(p.pieces)-1].More
}

func end(f *wire.Fragment) int { return f.Offset + len(f.Payload) }
