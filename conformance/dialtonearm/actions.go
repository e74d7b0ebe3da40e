// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"dialtone"
	"dialtone/conformance"
	"dialtone/errno"
	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/sockaddr"
	"dialtone/wire"
)

// Do changes the world.
func (w *world) Do(action conformance.Action) error {
	defer w.clock.Settle()
	switch a := action.(type) {
	case conformance.Sleep:
		w.clock.Advance(a.For)
		return nil
	case conformance.Sysctl:
		if strings.HasSuffix(a.Name, "ratelimit") && a.Value == "0" {
			return nil // ICMP errors are never held back here
		}
		if !slices.Contains(dialtone.SysctlNames(), a.Name) {
			return conformance.NotRun("there is no sysctl %s here", a.Name)
		}
		return w.hosts[a.Host].SetSysctl(a.Name, a.Value)
	case conformance.Firewall:
		return w.firewall(a)
	case conformance.Route:
		return w.route(a)
	case conformance.Rule:
		return w.hosts[a.Host].Stack().AddRule(inet.Rule{Type: routeTypes[a.Type], Prefix: a.Destination})
	case conformance.Interface:
		return w.onInterface(a.Host, a.Name, func(i *inet.Interface) { i.SetUp(a.Up) })
	case conformance.InterfaceAddress:
		return w.onInterface(a.Host, a.Interface, func(i *inet.Interface) {
			if a.Delete {
				i.RemoveAddress(a.Address)
			} else {
				i.AddAddress(a.Address)
			}
		})
	case conformance.Delay:
		end, ok := w.hosts[a.Host].ends[a.Interface]
		if !ok {
			return fmt.Errorf("host %s has no cable at %s", a.Host, a.Interface)
		}
		end.by = a.Delay
		return nil
	case conformance.ICMP:
		return w.icmp(a)
	case conformance.Stop:
		w.processes[a.Process].stop(a.Continue)
		return nil
	case conformance.DenyConnect:
		family := sockaddr.Inet
		if a.Family == "INET6" {
			family = sockaddr.Inet6
		}
		w.hosts[a.Host].Stack().DenyConnect(family)
		return nil
	case conformance.Policy, conformance.Label, conformance.AccessMode, conformance.Boolean, conformance.AccessChecks:
		return w.access(a)
	}
	return w.file(action)
}

func (w *world) onInterface(host, name string, f func(*inet.Interface)) error {
	i := w.hosts[host].interfaceNamed(name)
	if i == nil {
		return fmt.Errorf("host %s has no interface %s", host, name)
	}
	f(i)
	return nil
}

var routeTypes = map[string]inet.RouteType{
	"unicast": inet.Unicast, "unreachable": inet.Unreachable, "blackhole": inet.Blackhole, "prohibit": inet.Prohibit,
	"throw": inet.Throw,
}

func (w *world) route(a conformance.Route) error {
	h := w.hosts[a.Host]
	r := inet.Route{Type: routeTypes[a.Type], Prefix: a.Destination, Gateway: a.Via, Source: a.Source}
	if a.Delete {
		if !h.Stack().RemoveRoute(r.Type, r.Prefix) {
			return fmt.Errorf("host %s has no route to %v", a.Host, r.Prefix)
		}
		return nil
	}
	if r.Interface = h.interfaceNamed(a.Interface); r.Interface == nil && a.Via.IsValid() {
		for _, i := range h.Stack().Interfaces() {
			for _, p := range i.Prefixes() {
				if p.Contains(a.Via) {
					r.Interface = i
				}
			}
		}
	}
	return h.Stack().AddRoute(r)
}

func (w *world) firewall(a conformance.Firewall) error {
	h := w.hosts[a.Host]
	if a.Flush {
		h.Firewall(func(f *firewall.Firewall) { *f = firewall.Firewall{} })
		return nil
	}
	rule := firewall.Rule{Proto: wire.TCP}
	if a.Protocol == "udp" {
		rule.Proto = wire.UDP
	}
	if a.AckOnly {
		rule.FlagMask, rule.Flags = wire.SYN|wire.ACK, wire.ACK
	}
	if a.Port != 0 {
		rule.DstPorts = firewall.Ports{First: uint16(a.Port), Last: uint16(a.Port)}
	}
	rule.Verdict.Action = firewall.Drop
	if a.Verdict != "drop" {
		rule.Verdict.Action = firewall.Reject
		for _, r := range firewall.Rejections() {
			if r.String() == a.Verdict {
				rule.Verdict.With = r
			}
		}
	}
	h.Firewall(func(f *firewall.Firewall) {
		chain := &f.Input
		if a.Chain == "output" {
			chain = &f.Output
		}
		chain.Rules = append(chain.Rules, rule)
	})
	return nil
}

// file changes a host's tree.
func (w *world) file(action conformance.Action) error {
	switch a := action.(type) {
	case conformance.MakeFile:
		return w.makeFile(a)
	case conformance.ChangeFile:
		tree := w.hosts[a.Host].Tree()
		if a.SetMode {
			return tree.Chmod(a.Path, fileMode(a.Mode))
		}
		return tree.Chown(a.Path, a.UID, a.GID)
	case conformance.RemoveFile:
		tree := w.hosts[a.Host].Tree()
		if a.To == "" {
			return tree.Remove(a.Path)
		}
		return tree.Rename(a.Path, a.To)
	case conformance.Remount:
		tree := w.hosts[a.Host].Tree()
		if a.Broken {
			return w.breakDisk(a)
		}
		return tree.SetReadOnly(a.Path, true)
	}
	return conformance.NotRun("there is no action %T here", action)
}

// fileMode gives the bits above the permissions the places that package fs has for them.
func fileMode(m fs.FileMode) fs.FileMode {
	mode := m & fs.ModePerm
	for bit, is := range map[fs.FileMode]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&bit != 0 {
			mode |= is
		}
	}
	return mode
}

func (w *world) makeFile(a conformance.MakeFile) error {
	w.made = append(w.made, made{a.Host, a.Path})
	tree := w.hosts[a.Host].Tree()
	if err := tree.MkdirAll(path.Dir(a.Path), 0o755); err != nil {
		return err
	}
	switch a.Kind {
	case conformance.Directory:
		return tree.Mkdir(a.Path, 0o755)
	case conformance.Regular:
		return tree.Create(a.Path, 0o644)
	case conformance.FIFO:
		return tree.Mkfifo(a.Path, 0o644)
	case conformance.Device:
		return tree.Mknod(a.Path, fs.ModeCharDevice|0o666)
	case conformance.Symlink:
		return tree.Symlink(a.Target, a.Path)
	case conformance.Hardlink:
		return tree.Link(a.Target, a.Path)
	case conformance.Tmpfs, conformance.Disk:
		if err := tree.Mkdir(a.Path, 0o755); err != nil {
			return err
		}
		return tree.SetReadOnly(a.Path, false)
	}
	return fmt.Errorf("unknown kind of file %q", a.Kind)
}

// breakDisk makes all that lies on a disk fail to be read.
func (w *world) breakDisk(a conformance.Remount) error {
	for _, f := range w.made {
		if f.host != a.Host || !strings.HasPrefix(f.path, a.Path+"/") {
			continue
		}
		if err := w.hosts[a.Host].Tree().Fail(f.path, errno.EIO); err != nil {
			return err
		}
	}
	return nil
}
