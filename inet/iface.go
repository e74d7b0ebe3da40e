// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"dialtone/link"
	"dialtone/wire"
)

// Interface is a host's place on a link. It implements [link.Station] and [socket.Input].
type Interface struct {
	Name  string
	Index int // from 1

	stack    *Stack
	link     link.Link
	loopback bool
	cable    bool // its link is one, whatever it is wrapped in
	up       bool
	prefixes []netip.Prefix               // each address with the length of its network
	answers  atomic.Pointer[[]netip.Addr] // sorted
	contacts contacts
	members  map[netip.Addr][]*datagram // by group; see membership
	harmless netip.Addr                 // a source that was found to be no martian: most packets have it again

	overLo   *Interface // see cameBy; nil until it is needed
	standsIn bool       // it is another's overLo
}

// AddInterface attaches the host to a link by an interface that is up. The core need not be locked.
func (s *Stack) AddInterface(name string, l link.Link) (*Interface, error) {
	s.core.Lock()
	defer s.core.Unlock()
	if s.interfaceNamed(name) != nil {
		return nil, fmt.Errorf("inet: there is an interface %s already", name)
	}
	i := &Interface{Name: name, Index: len(s.interfaces) + 1, stack: s, link: l, cable: link.IsCable(l), up: true}
	i.answers.Store(&[]netip.Addr{})
	if err := l.Attach(i); err != nil {
		return nil, err
	}
	s.interfaces = append(s.interfaces, i)
	return i, nil
}

// Wrap puts what wrap returns between the interface and its link, for what the interface sends from now on: a
// fault. Who only looks on is a [Tap].
func (i *Interface) Wrap(wrap func(link.Link) link.Link) {
	i.stack.core.Lock()
	i.link = wrap(i.link)
	i.stack.lend()
	i.stack.core.Unlock()
}

// Interfaces returns the host's interfaces, lo first.
func (s *Stack) Interfaces() []*Interface {
	s.core.Lock()
	defer s.core.Unlock()
	return slices.Clone(s.interfaces)
}

func (s *Stack) interfaceNamed(name string) *Interface {
	for _, i := range s.interfaces {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// interfaceIndexed returns the interface with the given index, nil if there is none.
func (s *Stack) interfaceIndexed(index uint32) *Interface {
	if index == 0 || int(index) > len(s.interfaces) {
		return nil
	}
	return s.interfaces[index-1]
}

// cameBy returns what stands for lo where what the host sends to itself is to count as come by i, and is taken in whatever
// address it is for (Linux: RTCF_LOCAL and rt_iif of the way it was sent).
func (s *Stack) cameBy(i *Interface) *Interface {
	if i.overLo == nil {
		i.overLo = &Interface{Name: i.Name, Index: i.Index, stack: s, loopback: true, standsIn: true}
		s.lend()
	}
	return i.overLo
}

// lend makes what stands for lo like it.
func (s *Stack) lend() {
	for _, i := range s.interfaces {
		if lo := s.interfaces[0]; i.overLo != nil {
			i.overLo.link, i.overLo.up = lo.link, lo.up
		}
	}
}

// HasInterface reports whether there is an interface with an index, and whether that is lo. The core must be locked.
func (s *Stack) HasInterface(index uint32) (loopback, ok bool) {
	i := s.interfaceIndexed(index)
	return i != nil && i.loopback, i != nil
}

// AddAddress gives the interface an address and the route to its network. The address counts from now on; a second time
// it changes nothing.
func (i *Interface) AddAddress(p netip.Prefix) {
	i.stack.core.Lock()
	defer i.stack.core.Unlock()
	i.addAddress(p)
}

func (i *Interface) addAddress(p netip.Prefix) {
	if slices.Contains(i.prefixes, p) || p.Addr().Is6() && i.stack.Sysctl.IPv6Disabled {
		return
	}
	i.prefixes = append(i.prefixes, p)
	i.publish()
	if p.Bits() < p.Addr().BitLen() {
		i.stack.addRoute(Route{Prefix: p.Masked(), Interface: i, connected: true})
	}
}

// RemoveAddress takes an address and its network's route from the interface.
func (i *Interface) RemoveAddress(p netip.Prefix) {
	i.stack.core.Lock()
	defer i.stack.core.Unlock()
	i.prefixes = slices.DeleteFunc(i.prefixes, func(x netip.Prefix) bool { return x == p })
	i.publish()
	still := slices.ContainsFunc(i.prefixes, func(x netip.Prefix) bool { return x.Masked() == p.Masked() })
	if !still {
		i.stack.removeRoutes(func(r *Route) bool { return r.connected && r.Interface == i && r.Prefix == p.Masked() })
	}
}

// Prefixes returns the interface's addresses, each with the length of its network.
func (i *Interface) Prefixes() []netip.Prefix {
	i.stack.core.Lock()
	defer i.stack.core.Unlock()
	return slices.Clone(i.prefixes)
}

// MTU returns the largest packet the interface sends, in bytes.
func (i *Interface) MTU() int { return i.link.MTU() }

// Up reports whether the interface is up.
func (i *Interface) Up() bool {
	i.stack.core.Lock()
	defer i.stack.core.Unlock()
	return i.up
}

// Loopback reports whether the interface is lo.
func (i *Interface) Loopback() bool { return i.loopback }

// SetUp takes the interface up or down. While it is down its routes are as if they were not there, it answers for
// nothing, and what arrives is lost.
func (i *Interface) SetUp(up bool) {
	i.stack.core.Lock()
	defer i.stack.core.Unlock()
	i.up = up
	i.stack.lend()
	if facts := &i.stack.core.Personality.IP; facts.DownLosesIPv6 {
		if !up {
			i.loseIPv6()
		} else if i.loopback {
			i.addAddress(loopback6)
		}
	}
	i.publish()
}

// loopback6 is what lo has whenever it is up and IPv6 is not disabled.
var loopback6 = netip.MustParsePrefix("::1/128")

// loseIPv6 takes all IPv6 addresses and routes from the interface.
func (i *Interface) loseIPv6() {
	i.prefixes = slices.DeleteFunc(i.prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
	i.publish()
	i.stack.removeRoutes(func(r *Route) bool { return r.Interface == i && r.Prefix.Addr().Is6() })
}

// publish makes known to the link and to the stack which addresses the interface has.
func (i *Interface) publish() {
	var ips []netip.Addr
	if !i.up {
		i.contacts = contacts{} // neigh_ifdown
	} else {
		for _, p := range i.prefixes {
			ips = append(ips, p.Addr())
		}
		slices.SortFunc(ips, netip.Addr.Compare)
	}
	i.answers.Store(&ips)
	i.stack.indexAddresses()
}

// Answers implements [link.Station].
func (i *Interface) Answers(ip netip.Addr) bool {
	all := *i.answers.Load()
	if len(all) <= fewAddresses {
		return slices.Contains(all, ip)
	}
	_, ok := slices.BinarySearchFunc(all, ip, netip.Addr.Compare)
	return ok
}

// Deliver implements [link.Station].
func (i *Interface) Deliver(at time.Duration, p *wire.Packet) { i.stack.core.Arrive(at, i, p) }
