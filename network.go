// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"dialtone/clock"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/selinux"
)

// Network is a number of hosts and the links between them. It has one clock and one seed, which decides whatever is left
// to chance. It needs no closing: it holds no goroutine and nothing of the operating system's.
type Network struct {
	clock clock.Clock
	seed  uint64
	hub   *link.Shared   // of the hosts that Host makes
	way   *link.Impaired // between them and the hub

	mu     sync.Mutex
	hosts  map[string]*Host
	names  map[string][]netip.Addr // beside those of the hosts
	next4  netip.Addr              // the address that Host gives next
	next6  netip.Addr
	faults *faults         // nil: there has never been one
	policy *selinux.Policy // of all hosts; nil: none
	taps   []*hostTaps

	nameFaults atomic.Pointer[[]*nameRule] // replaced, never changed; nil: there has never been one

	crashes crashes
}

// Option changes how a network is made.
type Option func(*Network)

// WithClock makes the network's time come from c; else it is real time, or that of the synctest bubble it is made in.
func WithClock(c clock.Clock) Option { return func(n *Network) { n.clock = c } }

// WithSeed decides what is left to chance; else the seed is 1.
func WithSeed(seed uint64) Option { return func(n *Network) { n.seed = seed } }

// The networks of the hosts that [Network.Host] makes.
var (
	hub4 = netip.MustParsePrefix("10.0.0.0/8")
	hub6 = netip.MustParsePrefix("fd00::/64")
)

// NewNetwork returns a network without hosts.
func NewNetwork(options ...Option) *Network {
	n := &Network{
		seed:  1,
		hub:   link.NewHub(0),
		hosts: map[string]*Host{},
		names: map[string][]netip.Addr{},
		next4: hub4.Addr().Next(),
		next6: hub6.Addr().Next(),
	}
	for _, o := range options {
		o(n)
	}
	n.way = link.NewImpaired(n.hub, n.seed)
	if n.clock == nil {
		n.clock = clock.NewReal()
	}
	n.crashes.clock = n.clock
	return n
}

// Clock returns the network's clock.
func (n *Network) Clock() clock.Clock { return n.clock }

// Hub returns the link that the hosts made by [Network.Host] are on.
func (n *Network) Hub() *link.Shared { return n.hub }

// Impair replaces the rules for packets on the network's hub, among the hosts that [Network.Host] made; no rules mend it.
// For other links there is [link.NewImpaired].
func (n *Network) Impair(rules ...link.Rule) error { return n.way.SetRules(rules...) }

// Impaired returns the rules of the latest [Network.Impair], and what each has done since: a test of losses may want to see
// that something was lost.
func (n *Network) Impaired() ([]link.Rule, []link.Counts) { return n.way.Rules() }

// Host returns the host with the given name. If there is none it makes one, on the network's hub, with one IPv4 and one
// IPv6 address and Linux's personality. It panics if nobody could dial the name: if it is empty, an address, or has a port.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[key(name)]; h != nil {
		return h
	}
	h, err := n.newHost(name, personality.Linux)
	if err != nil {
		panic("dialtone: " + err.Error()) // of the name: it can't be another's here
	}
	_, err = h.Attach("eth0", n.way, netip.PrefixFrom(n.next4, hub4.Bits()), netip.PrefixFrom(n.next6, hub6.Bits()))
	if err != nil {
		panic("dialtone: a hub takes any number of hosts: " + err.Error())
	}
	n.next4, n.next6 = n.next4.Next(), n.next6.Next()
	return h
}

// NewHost makes a host with a personality, which has a loopback interface alone: see [Host.Attach]. It fails if there is a
// host of that name, or nobody could dial it.
func (n *Network) NewHost(name string, p *personality.Personality) (*Host, error) {
	if p == nil {
		return nil, fmt.Errorf("host %s: no personality, expected one such as personality.Linux", name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.newHost(name, p)
}

func (n *Network) newHost(name string, p *personality.Personality) (*Host, error) {
	return n.addHost(name, func(seed uint64) *Host { return newHost(n, name, p, seed) })
}

// NewNamespace makes a host that is another network namespace of h's machine (network_namespaces(7)): it has interfaces,
// routes, ports, a firewall and abstract names of its own, and at first a loopback interface alone. The files are those of
// the machine, so a UNIX socket with a path is reached from all its hosts; and so are personality, process numbers, access
// control and crashes.
func (h *Host) NewNamespace(name string) (*Host, error) {
	n, machine := h.network, h
	if h.machine != nil {
		machine = h.machine
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addHost(name, func(seed uint64) *Host {
		other := buildHost(n, name, h.core.Beside(), h.tree, seed)
		other.machine = machine
		return other
	})
}

// addHost adds the host that build makes.
func (n *Network) addHost(name string, build func(seed uint64) *Host) (*Host, error) {
	_, notAddress := netip.ParseAddr(name)
	switch {
	case n.hosts == nil:
		return nil, errors.New("this network was not made by NewNetwork")
	case name == "":
		return nil, errors.New("a host needs a name")
	case notAddress == nil:
		return nil, fmt.Errorf("%s is an address, expected a host's name: Attach gives a host its addresses", name)
	case strings.ContainsAny(name, ":/[]@ "):
		return nil, fmt.Errorf("%q is no host's name: it is dialed as name:port, expected one without : / [ ] @ and spaces", name)
	case n.hosts[key(name)] != nil:
		return nil, fmt.Errorf("there is a host %s already", name)
	}
	h := build(n.seed + uint64(len(n.hosts)))
	n.hosts[key(name)] = h
	if n.faults != nil {
		h.setFaults(n.faults)
	}
	for _, t := range n.taps {
		t.add(h)
	}
	if n.policy != nil && h.machine == nil {
		if err := h.SetPolicy(n.policy); err != nil {
			panic("dialtone: a policy that other hosts have: " + err.Error())
		}
	}
	return h, nil
}

// Hosts returns all hosts, sorted by name.
func (n *Network) Hosts() []*Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*Host
	for _, h := range n.hosts {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *Host) int { return cmp.Compare(a.name, b.name) })
	return all
}

// Lookup returns the host with the given name; ok is false if there is none.
func (n *Network) Lookup(name string) (h *Host, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h, ok = n.hosts[key(name)]
	return h, ok
}

// AddName makes a name stand for addresses, beside those of the host of that name, if there is one: for addresses that
// no host has. It panics if one of them is the zero Addr.
func (n *Network) AddName(name string, ips ...netip.Addr) {
	if slices.Contains(ips, netip.Addr{}) {
		panic(fmt.Sprintf("dialtone: the zero netip.Addr is no address for %q", name))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[key(name)] = append(n.names[key(name)], ips...)
}

// Addresses returns the addresses that a name stands for, those of the host's interfaces (but lo) first; none if nobody
// knows it. Names are the same in upper and lower case, with or without a final dot (RFC 4343).
func (n *Network) Addresses(name string) []netip.Addr { return n.appendAddresses(nil, name) }

func (n *Network) appendAddresses(ips []netip.Addr, name string) []netip.Addr {
	n.mu.Lock()
	h, more := n.hosts[key(name)], n.names[key(name)]
	n.mu.Unlock()
	if h != nil {
		ips = h.stack.AppendAddresses(ips)
	}
	return append(ips, more...)
}

// Names returns the names that stand for an address, sorted.
func (n *Network) Names(ip netip.Addr) []string {
	n.mu.Lock()
	known := map[string]bool{}
	for name := range n.hosts {
		known[name] = true
	}
	for name := range n.names {
		known[name] = true
	}
	n.mu.Unlock()
	var all []string
	for name := range known {
		if slices.Contains(n.Addresses(name), ip) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// key is what a name is known by.
func key(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
