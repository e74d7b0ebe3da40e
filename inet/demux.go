// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math/bits"
	"net/netip"
	"slices"
)

// demux finds a connection by its two ends: a hash table whose chains run through the connections, so that one among a
// million costs a few pointers. More than half of the chains are empty: who looks one up reads little else. Its zero value
// is empty.
type demux struct {
	// Nobody outside knows these, so nobody can choose ports whose chains are long.
	seed, factor uint64

	buckets []*stream // a power of two
	len     int
}

// leastBuckets is the size of the first table.
const leastBuckets = 16

// place returns the index of the chain for two ends. The low half of the product spreads what differs in the ports, for
// the factor is odd, the high half the rest.
func (d *demux) place(local, remote netip.AddrPort) int {
	ports := uint64(local.Port())<<16 | uint64(remote.Port())
	ends := d.seed ^ ports ^ bits.RotateLeft64(words(local.Addr()), 32)
	hi, lo := bits.Mul64(ends, words(remote.Addr())<<1^d.factor|1)
	return int((hi ^ lo) & uint64(len(d.buckets)-1))
}

// find returns the connection with the given ends, nil if there is none.
func (d *demux) find(local, remote netip.AddrPort) *stream {
	if d.len == 0 {
		return nil
	}
	for c := d.buckets[d.place(local, remote)]; c != nil; c = c.next {
		if c.remote == remote && c.local == local {
			return c
		}
	}
	return nil
}

// add takes in a connection whose ends no other has.
func (d *demux) add(c *stream) {
	if 2*d.len >= len(d.buckets) {
		d.resize(max(2*len(d.buckets), leastBuckets))
	}
	d.insert(c)
	d.len++
}

func (d *demux) insert(c *stream) {
	head := &d.buckets[d.place(c.local, c.remote)]
	c.next, *head = *head, c
}

// remove takes out a connection that is in the table, with the ends that it came with.
func (d *demux) remove(c *stream) {
	at := &d.buckets[d.place(c.local, c.remote)]
	for *at != c {
		at = &(*at).next
	}
	*at, c.next = c.next, nil
	if d.len--; len(d.buckets) > leastBuckets && d.len < len(d.buckets)/16 {
		d.resize(len(d.buckets) / 2)
	}
}

func (d *demux) resize(n int) {
	all := d.all()
	d.buckets = make([]*stream, n)
	for _, c := range all {
		d.insert(c)
	}
}

// all returns the connections, in no order that means anything.
func (d *demux) all() []*stream {
	all := make([]*stream, 0, d.len)
	for _, c := range d.buckets {
		for ; c != nil; c = c.next {
			all = append(all, c)
		}
	}
	return all
}

// sorted returns the connections by their ends: for what must not depend on a seed.
func (d *demux) sorted() []*stream {
	all := d.all()
	slices.SortFunc(all, func(a, b *stream) int {
		if o := a.local.Compare(b.local); o != 0 {
			return o
		}
		return a.remote.Compare(b.remote)
	})
	return all
}
