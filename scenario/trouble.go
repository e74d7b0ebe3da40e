// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"dialtone"
	"dialtone/errno"
	"dialtone/link"
	"dialtone/wire"
)

// This file is what goes wrong in a network on purpose: rules of links, and faults of connects.

type linkRulePart struct {
	From      value[netip.Prefix]  `key:"from"`
	To        value[netip.Prefix]  `key:"to"`
	Protocol  value[wire.Protocol] `key:"protocol"`
	ToPort    value[uint16]        `key:"to-port"`
	Action    value[linkAction]    `key:"action"`
	Latency   value[time.Duration] `key:"latency"`
	Jitter    value[time.Duration] `key:"jitter"`
	Rate      value[bitRate]       `key:"rate"`
	Queue     value[uint64]        `key:"queue"`
	Loss      value[share]         `key:"loss"`
	Bursts    burstsPart           `key:"bursts"`
	Duplicate value[share]         `key:"duplicate"`
	Reorder   value[share]         `key:"reorder"`
	ReorderBy value[time.Duration] `key:"reorder-by"`
	Corrupt   value[share]         `key:"corrupt"`
}

type burstsPart struct {
	ToBad    value[share] `key:"to-bad"`
	ToGood   value[share] `key:"to-good"`
	LossGood value[share] `key:"loss-good"`
	LossBad  value[share] `key:"loss-bad"`
}

type faultPart struct {
	From     value[string]        `key:"from"`
	Process  value[string]        `key:"process"`
	To       value[string]        `key:"to"`
	Protocol value[wire.Protocol] `key:"protocol"`
	Port     value[uint16]        `key:"port"`
	Nth      value[uint16]        `key:"nth"`
	Times    value[uint16]        `key:"times"`
	Errno    value[errno.Errno]   `key:"errno,required"`
}

// linkAction is what a link does with a packet.
type linkAction link.Action

func (linkAction) choices() []string {
	var names []string
	for a := link.Pass; a <= link.Prohibited; a++ {
		names = append(names, a.String())
	}
	return names
}
func (a *linkAction) choose(i int) { *a = linkAction(i) }

// share is a part of all packets, between 0 and 1.
type share float64

func (s *share) parse(text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	*s = share(f)
	return err == nil && f >= 0 && f <= 1
}

// bitRate is in bits per second, written as in tc(8).
type bitRate uint64

var rateUnits = []struct {
	name string
	bits float64
}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

func (r *bitRate) parse(text string) bool {
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(number, 64)
		bits := f * u.bits
		if err != nil || !(bits >= 1 && bits < math.MaxInt64) {
			return false
		}
		*r = bitRate(bits)
		return true
	}
	return false
}

// parseErrno reads the name of an error.
func parseErrno(text string, into *errno.Errno) bool {
	const last = 133 // EHWPOISON: errno-base.h and errno.h have no higher one
	for e := errno.Errno(1); e <= last; e++ {
		if e.Known() && e.Name() == text {
			*into = e
			return true
		}
	}
	return false
}

// rule returns what the part describes.
func (r *linkRulePart) rule() link.Rule {
	return link.Rule{
		From: r.From.v, To: r.To.v, Protocol: r.Protocol.v, ToPort: r.ToPort.v, Action: link.Action(r.Action.v),
		Effect: link.Effect{
			Latency: r.Latency.v, Jitter: r.Jitter.v, Rate: uint64(r.Rate.v), Queue: int(min(r.Queue.v, math.MaxInt32)), Loss: float64(r.Loss.v),
			Bursts: link.GilbertElliott{
				ToBad: float64(r.Bursts.ToBad.v), ToGood: float64(r.Bursts.ToGood.v),
				LossGood: float64(r.Bursts.LossGood.v), LossBad: float64(r.Bursts.LossBad.v),
			},
			Duplicate: float64(r.Duplicate.v), Reorder: float64(r.Reorder.v), ReorderBy: r.ReorderBy.v, Corrupt: float64(r.Corrupt.v),
		},
	}
}

// fault returns what the part describes.
func (f *faultPart) fault() dialtone.Fault {
	return dialtone.Fault{
		From: f.From.v, Process: f.Process.v, To: f.To.v, Protocol: f.Protocol.v, Port: f.Port.v,
		Nth: int(f.Nth.v), Times: int(f.Times.v), Errno: f.Errno.v,
	}
}

// linkRules checks the rules of a link.
func (c *checker) linkRules(l *entry[linkPart]) {
	for i := range l.v.Rules {
		r := &l.v.Rules[i]
		c.masked(&r.From)
		c.masked(&r.To)
		if r.From.v.IsValid() && r.To.v.IsValid() && r.From.v.Addr().Is4() != r.To.v.Addr().Is4() {
			c.add(r.To.at, "%v is not of the IP version of %v, so that no packet matches", r.To.v, r.From.v)
		}
		rule := r.rule()
		if err := rule.Check(); err != nil {
			c.add(l.name.at, "rule %d of the link: %v", i+1, err)
		}
	}
}

// fault checks that what a fault names is there.
func (c *checker) fault(f *faultPart) {
	c.hostName(&f.From)
	to := f.To.v
	if !f.To.given() || strings.HasPrefix(to, "/") || strings.HasPrefix(to, "@") {
		return
	}
	if _, err := netip.ParseAddr(to); err == nil {
		return
	}
	if _, err := netip.ParsePrefix(to); err == nil {
		return
	}
	if !c.file.hasAddress(to) {
		c.add(f.To.at, "%q is no host or name with an address, no address or prefix, and no UNIX socket, %s", to, expected(to, append(c.file.hostNames(), names(c.file.Names)...)))
	}
}

// lookups checks that each fault of names is for names, and counts.
func (c *checker) lookups() {
	faulted := make(map[string]position) // by canonical name; empty: all
	for i := range c.file.Lookups {
		name := &c.file.Lookups[i].Name
		if name.given() && !c.domainName(name) {
			continue
		}
		at := c.file.Lookups[i].Fail.at
		if name.given() {
			at = name.at
		}
		first, again := faulted[canonical(name.v)]
		if all, ok := faulted[""]; ok {
			first, again = all, true
		}
		if again {
			c.add(at, "this never counts: line %d says it already", first.line)
			continue
		}
		faulted[canonical(name.v)] = at
	}
}

// hasAddress reports whether name is that of a host that has an address, or of an address.
func (f *file) hasAddress(name string) bool {
	if h := f.host(name); h != nil {
		for i := range h.v.Interfaces {
			if len(h.v.Interfaces[i].v.Addresses) > 0 {
				return true
			}
		}
	}
	for i := range f.Names {
		if strings.EqualFold(f.Names[i].name.v, name) && len(f.Names[i].v) > 0 {
			return true
		}
	}
	return false
}

// impaired returns l with the rules of its part.
func (p *linkPart) impaired(l link.Link, seed uint64) (link.Link, error) {
	if len(p.Rules) == 0 {
		return l, nil
	}
	var rules []link.Rule
	for i := range p.Rules {
		rules = append(rules, p.Rules[i].rule())
	}
	i := link.NewImpaired(l, seed)
	return i, i.SetRules(rules...)
}

// addFaults makes the connects and look-ups fail that the file says. It comes last, when all names are known.
func (r *Running) addFaults(f *file) error {
	for i := range f.Faults {
		fault := f.Faults[i].fault()
		if h := r.named[canonical(fault.From)]; h != nil {
			fault.From = h.Name() // it may be an alias
		}
		if _, err := r.Network.Fault(fault); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	for i := range f.Lookups {
		r.Network.FaultName(f.Lookups[i].Name.v, dialtone.NameFault(f.Lookups[i].Fail.v))
	}
	return nil
}
