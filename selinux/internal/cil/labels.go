// SPDX-License-Identifier: Apache-2.0

package cil

import (
	"bytes"
	"cmp"
	"fmt"
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
	context := c.context(args[2])
	if c.labels(fmt.Sprintf("%s port %d-%d", args[0].word, low, high), context) {
		c.db.Ports = append(c.db.Ports, policydb.Port{Protocol: proto, Low: low, High: high, Context: context})
	}
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
	context, message := c.context(args[1]), c.context(args[2])
	isNew := c.labels("interface "+name, context)
	c.labels("a message from interface "+name, message)
	if isNew {
		c.db.Netifs = append(c.db.Netifs, policydb.Netif{Name: name, Context: context, Message: message})
	}
}

// nodeCon reads (nodecon (address) (mask) context).
func (c *compiler) nodeCon(args []node) {
	addr, mask := c.address(args[0]), c.address(args[1])
	if addr.Is4() != mask.Is4() {
		c.fail("address and mask are of different families")
	}
	context := c.context(args[2])
	if c.labels(fmt.Sprintf("node %s mask %s", addr, mask), context) {
		c.db.Nodes = append(c.db.Nodes, policydb.Node{Addr: addr.AsSlice(), Mask: mask.AsSlice(), Context: context})
	}
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

// labels enters the label of an object, and tells if it is new. secilc drops a second label that is the same; one that
// differs is an error.
func (c *compiler) labels(object string, context policydb.Context) bool {
	old, ok := c.labelled[object]
	if ok && !old.Equal(&context) {
		c.fail("%s has two labels", object)
	}
	c.labelled[object] = context
	return !ok
}

// sortLabels puts labels into secilc's order (cil_post.c), in which the first that fits is the narrowest.
func (c *compiler) sortLabels() {
	slices.SortFunc(c.db.Ports, comparePorts)
	slices.SortFunc(c.db.Nodes, compareNodes)
}

func comparePorts(a, b policydb.Port) int {
	return cmp.Or(
		cmp.Compare(a.High-a.Low, b.High-b.Low), cmp.Compare(a.Low, b.Low), cmp.Compare(a.Protocol, b.Protocol))
}

// compareNodes puts IPv4 first and longer masks before shorter ones.
func compareNodes(a, b policydb.Node) int {
	return cmp.Or(cmp.Compare(len(a.Addr), len(b.Addr)), bytes.Compare(b.Mask, a.Mask), bytes.Compare(a.Addr, b.Addr))
}
