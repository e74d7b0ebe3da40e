// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"dialtone"
	"dialtone/clock"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/personality"
)

// defaultSeed is the seed of a network whose file names none.
const defaultSeed = 1

// Running is a network made from a scenario, with its servers. Close it to end them.
type Running struct {
	Network *dialtone.Network
	hosts   []*dialtone.Host          // in the file's order
	named   map[string]*dialtone.Host // by canonical name or alias
	links   map[string]link.Link      // by name, with their rules
	bare    map[string]*link.Shared   // the same without
	zone    *zone
	tuns    []*link.TUN

	mu      sync.Mutex                  // held while something happens
	serving map[*dialtone.Host]*serving // see on
	began   time.Duration               // when the timeline did, by the network's clock
	future  []*eventPart                // what is still to happen, soonest first
	timer   clock.Timer                 // of the next event; nil: none has been waited for
	err     error                       // of servers that ended by themselves before a crash, or did not begin again after it
}

// Start makes the network and starts the servers on it. Nothing of it outlives Close.
func (s *Scenario) Start(options ...dialtone.Option) (*Running, error) {
	options = append([]dialtone.Option{dialtone.WithSeed(s.file.Seed.or(defaultSeed))}, options...)
	r := &Running{
		Network: dialtone.NewNetwork(options...),
		named:   make(map[string]*dialtone.Host),
		links:   make(map[string]link.Link),
		bare:    make(map[string]*link.Shared),
		serving: make(map[*dialtone.Host]*serving),
	}
	if err := r.build(&s.file); err != nil {
		_ = r.unwire() // what went wrong first is to be told
		return nil, err
	}
	r.zone = newZone(&s.file, r.Network)
	for i := range s.file.Hosts {
		h := &s.file.Hosts[i]
		for j := range h.v.Services {
			if err := r.provide(r.hosts[i], r.service(r.hosts[i], &h.v.Services[j])); err != nil {
				_ = r.Close() // what went wrong first is to be told
				return nil, fmt.Errorf("host %s: service %s: %w", h.name.v, h.v.Services[j].Kind.v, err)
			}
		}
	}
	r.begin(&s.file)
	return r, nil
}

// Host returns the host with the given name or alias, the file's first if the name is empty; nil if there is none.
func (r *Running) Host(name string) *dialtone.Host {
	if name == "" {
		return r.hosts[0]
	}
	return r.named[canonical(name)]
}

// build makes what f describes, which has been checked.
func (r *Running) build(f *file) error {
	for i := range f.Links {
		part := &f.Links[i].v
		newLink := link.NewHub
		if part.Kind.v == cable {
			newLink = link.NewCable
		}
		r.bare[f.Links[i].name.v] = newLink(part.Latency.v)
		l, err := part.impaired(r.bare[f.Links[i].name.v], f.Seed.or(defaultSeed)+uint64(i))
		if err != nil {
			return fmt.Errorf("link %s: %w", f.Links[i].name.v, err)
		}
		r.links[f.Links[i].name.v] = l
		if err := r.wire(l, &part.TUN); err != nil {
			return fmt.Errorf("link %s: %w", f.Links[i].name.v, err)
		}
	}
	for i := range f.Hosts {
		if err := r.host(&f.Hosts[i]); err != nil {
			return fmt.Errorf("host %s: %w", f.Hosts[i].name.v, err)
		}
	}
	for i := range f.Names {
		for _, a := range f.Names[i].v {
			r.Network.AddName(f.Names[i].name.v, a.v)
		}
	}
	if err := r.control(f); err != nil {
		return err
	}
	return r.addFaults(f)
}

func (r *Running) host(part *entry[hostPart]) error {
	p := personality.Linux
	if name := part.v.Personality.v; name != "" {
		p, _ = personality.Named(name)
	}
	h, err := r.Network.NewHost(part.name.v, p)
	if err != nil {
		return err
	}
	r.hosts = append(r.hosts, h)
	r.named[canonical(part.name.v)] = h
	interfaces := make(map[string]*inet.Interface)
	for i := range part.v.Interfaces {
		in := &part.v.Interfaces[i]
		l := r.links[in.v.Link.v]
		if in.v.Silent.v {
			l = silentLink{l}
		}
		var addresses []netip.Prefix
		for _, a := range in.v.Addresses {
			addresses = append(addresses, a.v)
		}
		if interfaces[in.name.v], err = h.Attach(in.name.v, l, addresses...); err != nil {
			return err
		}
	}
	for _, alias := range part.v.Aliases {
		r.named[canonical(alias.v)] = h
		r.Network.AddName(alias.v, h.Addresses()...)
	}
	for i := range part.v.Sysctls {
		if err := h.Stack().SetSysctlNamed(part.v.Sysctls[i].name.v, part.v.Sysctls[i].v.v); err != nil {
			return err
		}
	}
	for i := range part.v.Routes {
		if err := h.Stack().AddRoute(part.v.Routes[i].route(h, interfaces)); err != nil {
			return err
		}
	}
	h.Firewall(func(f *firewall.Firewall) {
		f.Input, f.Output = part.v.Firewall.Input.chain(), part.v.Firewall.Output.chain()
	})
	return nil
}

// route returns what r describes on host h.
func (r *routePart) route(h *dialtone.Host, interfaces map[string]*inet.Interface) inet.Route {
	route := inet.Route{Type: routeTypes[r.Type.v], Prefix: r.To.v, Gateway: r.Via.v}
	if r.Type.v != unicast {
		return route
	}
	if r.Interface.given() {
		route.Interface = interfaces[r.Interface.v]
	}
	for _, i := range h.Stack().Interfaces() {
		if r.Interface.v == i.Name {
			route.Interface = i // lo is not in the file
		}
		for _, p := range i.Prefixes() {
			if !r.Interface.given() && route.Interface == nil && p.Contains(r.Via.v) {
				route.Interface = i
			}
		}
	}
	return route
}

// routeTypes are the library's words for the file's.
var routeTypes = [...]inet.RouteType{
	unicast: inet.Unicast, unreachable: inet.Unreachable, blackhole: inet.Blackhole, prohibit: inet.Prohibit,
}

// chain returns the rules that c describes.
func (c *chainPart) chain() firewall.Chain {
	chain := firewall.Chain{Policy: c.Policy.v}
	for _, r := range c.Rules {
		chain.Rules = append(chain.Rules, firewall.Rule{
			Proto: r.Protocol.v, Src: r.From.v, Dst: r.To.v, SrcPorts: r.FromPort.v, DstPorts: r.ToPort.v,
			Interface: r.Interface.v, Verdict: r.Verdict.v,
		})
	}
	return chain
}
