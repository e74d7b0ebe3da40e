// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/wire"
)

// Where the host is, and where the packets come from, as packetdrill has it for IPv4.
var (
	local  = netip.MustParseAddrPort("192.168.0.1:8080")
	remote = netip.MustParseAddrPort("192.0.2.1:8080")
)

// world is a host, and the far end of its one link.
type world struct {
	clock     *clock.Manual
	began     time.Duration
	host      *dialtone.Host
	process   *dialtone.Process
	iface     *inet.Interface
	sent      []sent
	fds       map[int64]int // the script's descriptors, and the host's
	subject   int64         // the script's descriptor of the connection
	flow      *flow         // nil: there is none yet
	listens   bool          // listen was called later than connect
	last      *event        // the event before; nil: none
	pending   *pending      // nil: no call is under way
	tolerance time.Duration
	tick      time.Duration // of timestamps; 0: their values are not compared
	port      uint16        // of the far end's last connection
	ignored   []string      // sysctls that are not known
	cookie    []byte        // what the host grants; nil: nobody has asked
}

// sent is a packet that the host has sent.
type sent struct {
	at     time.Duration
	packet *wire.Packet
	part   bool // of a segment that stood for many, whose PSH says nothing
}

func newWorld(s *Script) (*world, error) {
	w := &world{clock: clock.NewManual(), fds: map[int64]int{}, tolerance: tolerance, port: 30000}
	for name, to := range map[string]*time.Duration{"tolerance_usecs": &w.tolerance, "tcp_ts_tick_usecs": &w.tick} {
		if us, err := strconv.ParseUint(s.options[name], 10, 32); err == nil {
			*to = time.Duration(us) * time.Microsecond
		} else if s.options[name] != "" {
			return nil, err
		}
	}
	w.clock.Advance(time.Second)
	w.began = w.clock.Now()
	var err error
	if w.host, err = dialtone.NewNetwork(dialtone.WithClock(w.clock)).NewHost("host", personality.Linux); err != nil {
		return nil, err
	}
	if w.iface, err = w.host.Attach("tun0", far{w}, netip.PrefixFrom(local.Addr(), 16)); err != nil {
		return nil, err
	}
	w.process = w.host.NewProcess()
	return w, w.host.Stack().AddRoute(inet.Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Interface: w.iface})
}

// far is the link, and the only other station on it: it answers for every address and keeps what comes.
type far struct{ w *world }

func (l far) Attach(link.Station) error                               { return nil }
func (l far) Detach(link.Station)                                     {}
func (l far) Neighbour(link.Station, netip.Addr) (link.Station, bool) { return l, true }
func (l far) MTU() int                                                { return link.DefaultMTU }
func (l far) Answers(netip.Addr) bool                                 { return true }
func (l far) Deliver(time.Duration, *wire.Packet)                     {}
func (l far) Send(_ time.Duration, _, _ link.Station, p *wire.Packet) {
	kept := p.Clone()
	kept.TCP.Payload = slices.Clone(p.TCP.Payload)
	l.w.sent = append(l.w.sent, sent{at: l.w.now(), packet: kept, part: p.TCP.Part > 0})
}

// cookieBytes returns an option's bytes; of the cookie that the host grants, those of its own.
func (w *world) cookieBytes(o *option) ([]byte, error) {
	if !o.ours {
		return o.bytes, nil
	}
	if w.cookie == nil {
		var err error
		if w.cookie, err = askCookie(); err != nil {
			return nil, err
		}
	}
	return append([]byte{o.bytes[0], byte(2 + len(w.cookie))}, w.cookie...), nil
}

// askCookie returns the cookie that a host grants which is made as the script's is: it is the same.
func askCookie() ([]byte, error) {
	w, err := newWorld(&Script{})
	if err != nil {
		return nil, err
	}
	defer w.process.Exit()
	w.sysctl("net.ipv4.tcp_fastopen", "0x402")
	fd, err := w.process.Socket(sockaddr.Inet, int(constants["SOCK_STREAM"]), 0)
	if err == nil {
		err = w.process.Bind(fd, sockaddr.Of(local).Raw())
	}
	if err == nil {
		err = w.process.Listen(fd, 1)
	}
	if err == nil {
		err = w.inject(&packet{tcp: wire.Segment{Flags: wire.SYN}, options: []option{{name: "FO", bytes: []byte{34, 2}}}})
	}
	if err == nil && (len(w.sent) == 0 || len(w.sent[0].packet.TCP.Options.FastOpen) != len(suiteCookie)/2) {
		err = errors.New("no cookie is granted")
	}
	if err != nil {
		return nil, err
	}
	return w.sent[0].packet.TCP.Options.FastOpen, nil
}
