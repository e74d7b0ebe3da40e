// SPDX-License-Identifier: Apache-2.0

// Package capture writes the packets of a network as a pcapng file, which Wireshark, tshark and tcpdump read: as tcpdump
// would on its hosts, without root, and in a test.
//
// A packet is written at each place where it is seen: at its sender's interface as it leaves, at the receiver's as it
// arrives. So one that the link lost stands there once, one that it doubled three times, and one that it delayed with two
// times. As on Linux, a capture sees what comes in before the host's firewall does, and what goes out after it; nothing
// while the interface is down; what a host sends to itself once, incoming at lo; and a segment that is larger than the MTU
// as it is, as on an interface with segmentation offload. There is no ARP on the wire. Bytes between programs of package
// supervisor are packets only where its option NeverDirect has them take the network.
//
// The file names its interfaces HOST/INTERFACE (frame.interface_name in Wireshark), and has their addresses as of when they
// were first seen as description. Packets are raw IP with all checksums, whole, each with its direction, and with the
// security context of the socket that sent it, if it has one, as comment.
//
// Times are the network's, to the nanosecond: the calendar's, in a synctest bubble that of the bubble, and with a
// [clock.Manual] counted from 1970. Packets stand in the order in which they were seen; in real time the times of two hosts
// may contradict it by microseconds.
package capture

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/wire"
)

// Capture is one under way.
type Capture struct {
	epoch  time.Time // of the network's clock
	remove func()

	mu         sync.Mutex // a leaf: taken with a host's lock held
	w          io.Writer
	interfaces map[*inet.Interface]uint32 // by number in the file
	block      []byte                     // room for one
	err        error                      // of the first write that failed; nothing is written after it
}

// Start writes the packets of n to w from now on, until [Capture.Close]. places are hosts by their names (web.test), or
// interfaces of hosts (web.test/eth0), that there must be; with none it is all hosts, those that are made later too.
//
// Every packet is one call of w.Write, so that at any time w has all of them, and each whole. It is made while the host is
// locked: the network stands still until it returns, and it must not use the network. Who wants speed passes a
// [bufio.Writer].
//
// An error is a place that is not there, or w's.
func Start(w io.Writer, n *dialtone.Network, places ...string) (*Capture, error) {
	chosen, err := choose(n, places)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	c := &Capture{epoch: time.Unix(0, 0), w: w, interfaces: map[*inet.Interface]uint32{}}
	if real, ok := n.Clock().(*clock.Real); ok {
		c.epoch = real.Epoch()
	}
	c.block = appendSection(c.block)
	c.write()
	for _, h := range n.Hosts() {
		for _, i := range h.Stack().Interfaces() {
			if chosen.has(h, i) {
				c.number(h, i)
			}
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	c.remove = n.Tap(func(h *dialtone.Host) inet.Tap {
		if !chosen.on(h) {
			return nil
		}
		return func(at time.Duration, i *inet.Interface, d firewall.Direction, p *wire.Packet) {
			// As libpcap has it (linux_check_direction): at lo a packet comes again as incoming.
			if chosen.has(h, i) && !(i.Loopback() && d == firewall.Output) {
				c.add(at, h, i, d, p)
			}
		}
	})
	return c, nil
}

// Close ends the capture, and returns the first error of writing. It does not close the writer.
func (c *Capture) Close() error {
	c.remove() // not under the lock: it takes the hosts' locks
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// add writes a packet.
func (c *Capture) add(at time.Duration, h *dialtone.Host, i *inet.Interface, d firewall.Direction, p *wire.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	number := c.number(h, i)
	if c.err != nil {
		return
	}
	c.block = appendPacket(c.block[:0], number, c.epoch.Add(at), d, p)
	c.write()
}

// number returns the number of an interface in the file. At first it describes it there.
func (c *Capture) number(h *dialtone.Host, i *inet.Interface) uint32 {
	number, ok := c.interfaces[i]
	if !ok {
		number = uint32(len(c.interfaces))
		c.interfaces[i] = number
		var addresses []string
		for _, a := range i.Addresses() {
			addresses = append(addresses, a.String())
		}
		c.block = appendInterface(c.block[:0], h.Name()+"/"+i.Name, strings.Join(addresses, ", "), h.Core().Personality.Name)
		c.write()
	}
	return number
}

// write writes the block.
func (c *Capture) write() {
	if c.err == nil {
		if _, err := c.w.Write(c.block); err != nil {
			c.err = fmt.Errorf("capture: %w", err)
		}
	}
}
