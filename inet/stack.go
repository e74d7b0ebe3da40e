// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"dialtone/clock"
	"dialtone/firewall"
	"dialtone/link"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/tcp"
	"dialtone/wire"
)

// Stack is the internet layer of one host. Its fields may be changed with the core's lock held.
type Stack struct {
	Firewall firewall.Firewall
	// Sysctl are the host's settings, by the names Linux has for them.
	Sysctl Sysctl
	// Crashes is asked when a trail tells why an attempt failed; nil: nobody knows of any.
	Crashes Crashes

	core       *socket.Core
	interfaces []*Interface // [0] is lo
	taps       []*Tap
	own        []ownAddress       // see address.go
	ownAt      map[netip.Addr]int // where in own; nil: few
	routes     []Route            // best first, see route.go
	rules      []Route            // asked before the routes, see rule.go
	changes    uint64             // of interfaces, addresses, routes and rules; see keptWay
	there      keptWay            // of the last connect
	back       keptWay            // of the last connection that came
	denied     []sockaddr.Family

	silent4, silent6 map[neighbourKey]*neighbour // neighbours

	tcpPorts          ports
	udpPorts, udpLite datagrams
	pings             datagrams // of ping sockets, by identifier
	raws              []*raw
	connections       demux
	listeners         map[uint16][]*stream
	cookies           map[netip.Addr]fastPeer // of TCP Fast Open, by peer
	pathMTUs          map[netip.Addr]pathMTU  // by destination, of those that ICMP has told; nil: none
	timers            []*clock.Event          // idle ones, for reuse
	spare             [3]*wire.Packet         // likewise
	spares            int                     // of spare, from its beginning
	tcpConfig         *tcp.Config             // nil: to be made from Sysctl
	seed              uint64
	draws             uint64
	portsGiven        uint64 // by connect, for TCP
}

// New puts the internet families on a host, which has a loopback interface from then on. seed decides everything that is
// left to chance: initial sequence numbers, implicit ports.
func New(core *socket.Core, seed uint64) *Stack {
	s := &Stack{
		core:      core,
		Sysctl:    defaultSysctl(core.Personality),
		silent4:   map[neighbourKey]*neighbour{},
		silent6:   map[neighbourKey]*neighbour{},
		cookies:   map[netip.Addr]fastPeer{},
		listeners: map[uint16][]*stream{},
		seed:      seed,
	}
	s.connections.seed, s.connections.factor = s.draw(false, 0), s.draw(false, 1)
	core.AddSpace(sockaddr.Inet, space{s, sockaddr.Inet})
	core.AddSpace(sockaddr.Inet6, space{s, sockaddr.Inet6})
	lo, err := s.AddInterface("lo", link.Loopback{})
	if err != nil {
		panic("inet: the loopback takes any number of hosts: " + err.Error())
	}
	lo.loopback = true
	lo.AddAddress(netip.MustParsePrefix("127.0.0.1/8"))
	lo.AddAddress(loopback6)
	return s
}

// Core returns the core of the stack's host.
func (s *Stack) Core() *socket.Core { return s.core }

// draw returns a number that looks random, from the seed, the words given, and a counter where fresh is set. It does
// not depend on what other hosts or connections draw.
func (s *Stack) draw(fresh bool, words ...uint64) uint64 {
	var n uint64
	if fresh {
		s.draws++
		n = s.draws
	}
	// PCG's first output scatters its two words well enough; each word is folded in by one more.
	h := rand.NewPCG(s.seed, n).Uint64()
	for _, w := range words {
		h = rand.NewPCG(h, w).Uint64()
	}
	return h
}

// newPacket returns an empty packet: most answer one that came in, which is at hand.
func (s *Stack) newPacket() *wire.Packet {
	if s.spares == 0 {
		return wire.NewPacket()
	}
	s.spares--
	return s.spare[s.spares]
}

// free takes a packet back.
func (s *Stack) free(p *wire.Packet) {
	if s.spares == len(s.spare) {
		p.Free()
		return
	}
	p.Empty()
	s.keep(p)
}

// keep takes back a packet that newPacket has just returned, and that is empty still.
func (s *Stack) keep(p *wire.Packet) {
	s.spare[s.spares] = p
	s.spares++
}

// newTimer returns a timer of t's: an idle connection has none.
func (s *Stack) newTimer(t clock.Task) *clock.Event {
	last := len(s.timers) - 1
	if last < 0 {
		return &clock.Event{Task: t}
	}
	e := s.timers[last]
	s.timers = s.timers[:last]
	e.Task = t
	return e
}

// freeTimer takes back a timer that is not set.
func (s *Stack) freeTimer(e *clock.Event) {
	e.Task = nil
	if len(s.timers) < maxTimers {
		s.timers = append(s.timers, e)
	}
}

// maxTimers is how many idle timers a host keeps.
const maxTimers = 1024

// words folds an address into a number for draw.
func words(a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]) ^ binary.BigEndian.Uint64(b[8:])
}
