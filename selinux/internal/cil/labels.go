// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"dialtone/selinux/internal/policydb"
)

// protocols are the IP protocol numbers of a portcon.
var protocols = map[string]uint32{"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132}

func (c *compiler) sidContext(args []node) {
	sid := c.find(c.sids, args[0], "SID")
	if _, ok := c.db.InitialSIDs[sid]; ok {
		c.fail("SID %s has two contexts", args[0].word)
	}
	c.db.InitialSIDs[sid] = c.context(args[1])
}

// portCon reads (portcon protocol port|(low high) context).
func (c *compiler) portCon(args []node) {
	proto, ok := protocols[c.wordOf(args[0], "a protocol")]
	if !ok {
		c.fail("the protocol %s is not tcp, udp, dccp or sctp", args[0].word)
	}
	ports := []node{args[1], args[1]}
	if args[1].isList() {
		ports = args[1].list
	}
	if len(ports) != 2 {
		c.fail("a range of ports has two ends")
	}
	low, high := c.port(ports[0]), c.port(ports[1])
	if low > high {
		c.fail("the range of ports %d to %d falls", low, high)
	}
	c.db.Ports = append(c.db.Ports, policydb.Port{Protocol: proto, Low: low, High: high, Context: c.context(args[2])})
}

func (c *compiler) port(n node) uint16 {
	v, err := strconv.ParseUint(n.word, 10, 16)
	if err != nil {
		c.failAt(n.line, "%q is no port", n.word)
	}
	return uint16(v)
}

func (c *compiler) netifCon(args []node) {
	name := c.wordOf(args[0], "an interface")
	n := policydb.Netif{Name: name, Context: c.context(args[1]), Message: c.context(args[2])}
	for i := range c.db.Netifs {
		if l := &c.db.Netifs[i]; l.Name == name {
			if !l.Context.Equal(&n.Context) || !l.Message.Equal(&n.Message) {
				c.fail("the interface %s has two labels", name)
			}
			return
		}
	}
	c.db.Netifs = append(c.db.Netifs, n)
}

// nodeCon reads (nodecon (address) (mask) context).
func (c *compiler) nodeCon(args []node) {
	addr, mask := c.address(args[0]), c.address(args[1])
	if addr.Is4() != mask.Is4() {
		c.fail("address and mask are of different families")
	}
	c.db.Nodes = append(c.db.Nodes, policydb.Node{Addr: addr.AsSlice(), Mask: mask.AsSlice(), Context: c.context(args[2])})
}

func (c *compiler) address(n node) netip.Addr {
	if !n.isList() || len(n.list) != 1 {
		c.failAt(n.line, "an address must be written (address): a named one is not supported, compile it with secilc")
	}
	a, err := netip.ParseAddr(n.list[0].word)
	if err != nil || a.Zone() != "" {
		c.failAt(n.line, "%q is no address", n.list[0].word)
	}
	return a
}

// sortLabels puts labels into secilc's order (cil_post.c), in which the first that fits is the narrowest. Of two for
// the same it drops one if they agree, and refuses both if they do not.
func (c *compiler) sortLabels() {
	slices.SortStableFunc(c.db.Ports, comparePorts)
	c.db.Ports = slices.CompactFunc(c.db.Ports, func(a, b policydb.Port) bool {
		if comparePorts(a, b) != 0 {
			return false
		}
		if !a.Context.Equal(&b.Context) {
			c.fail("the ports %d to %d of protocol %d have two labels", a.Low, a.High, a.Protocol)
		}
		return true
	})
	slices.SortStableFunc(c.db.Nodes, compareNodes)
	c.db.Nodes = slices.CompactFunc(c.db.Nodes, func(a, b policydb.Node) bool {
		if compareNodes(a, b) != 0 {
			return false
		}
		if !a.Context.Equal(&b.Context) {
			addr, _ := netip.AddrFromSlice(a.Addr)
			c.fail("the node %s has two labels", addr)
		}
		return true
	})
}

func comparePorts(a, b policydb.Port) int {
	return cmp.Or(
		cmp.Compare(a.High-a.Low, b.High-b.Low), cmp.Compare(a.Low, b.Low), cmp.Compare(a.Protocol, b.Protocol))
}

// compareNodes puts IPv4 first and longer masks before shorter ones.
func compareNodes(a, b policydb.Node) int {
	return cmp.Or(cmp.Compare(len(a.Addr), len(b.Addr)), bytes.Compare(b.Mask, a.Mask), bytes.Compare(a.Addr, b.Addr))
}
