// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"fmt"
	"io/fs"
	"net/netip"
	"sync"

	"dialtone/firewall"
	"dialtone/inet"
	"dialtone/link"
	"dialtone/mac"
	"dialtone/netlink"
	"dialtone/packet"
	"dialtone/personality"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/unixdomain"
	"dialtone/vsock"
)

// Host is one machine on a network: interfaces, routes, a firewall, ports, UNIX names, and a personality; or another
// network namespace of such a machine, see [Host.NewNamespace].
type Host struct {
	name    string
	machine *Host // whose namespace it is; nil: a machine of its own
	network *Network
	core    *socket.Core
	stack   *inet.Stack
	tree    *unixdomain.Tree
	unix    *unixdomain.Space
	dialer  Dialer // without options

	lines  lines
	mu     sync.Mutex
	pid    int         // of the newest process
	access *mac.Module // nil: the host has no policy
}

func newHost(n *Network, name string, p *personality.Personality, seed uint64) *Host {
	core := socket.NewCore(n.clock, p)
	return buildHost(n, name, core, newTree(), seed)
}

// buildHost makes a host with the core and the files given.
func buildHost(n *Network, name string, core *socket.Core, tree *unixdomain.Tree, seed uint64) *Host {
	p := core.Personality
	h := &Host{
		name: name, network: n, core: core, stack: inet.New(core, seed),
		tree: tree, unix: unixdomain.New(core, tree),
	}
	h.dialer.Host = h
	h.stack.Crashes = &n.crashes
	for _, f := range p.Families {
		switch sockaddr.Family(f) {
		case sockaddr.Netlink:
			netlink.New(core)
		case sockaddr.Packet:
			packet.New(core, h.stack.HasInterface)
		case sockaddr.Vsock:
			vsock.New(core)
		default:
			panic("dialtone: personality " + p.Name + " has a family that nobody has built")
		}
	}
	return h
}

// newTree returns the file tree of a new host, where everybody may make sockets in /tmp.
func newTree() *unixdomain.Tree {
	t := unixdomain.NewTree()
	if err := t.Mkdir("/tmp", fs.ModeSticky|0o777); err != nil {
		panic("dialtone: an empty tree takes any name: " + err.Error())
	}
	return t
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Network returns the network the host is on.
func (h *Host) Network() *Network { return h.network }

// Core returns what the host's sockets share: the socket layer below [Process].
func (h *Host) Core() *socket.Core { return h.core }

// Stack returns the host's internet layer: interfaces, routes, settings.
func (h *Host) Stack() *inet.Stack { return h.stack }

// Tree returns the host's file tree, where UNIX sockets have their names.
func (h *Host) Tree() *unixdomain.Tree { return h.tree }

// Unix returns the host's AF_UNIX: its settings.
func (h *Host) Unix() *unixdomain.Space { return h.unix }

// Attach gives the host an interface on a link, with addresses. Each address brings a route to its network. It fails if the
// name is empty or taken, an address is no valid prefix, or the link has no room.
func (h *Host) Attach(name string, l link.Link, addresses ...netip.Prefix) (*inet.Interface, error) {
	if name == "" || l == nil {
		return nil, fmt.Errorf("host %s: interface %q, link %v: an interface needs both", h.name, name, l)
	}
	for _, a := range addresses {
		if !a.IsValid() {
			return nil, fmt.Errorf("host %s: interface %s: %v is no address with a prefix length that it can have", h.name, name, a.Addr())
		}
	}
	i, err := h.stack.AddInterface(name, l)
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", h.name, err)
	}
	for _, a := range addresses {
		i.AddAddress(a)
	}
	return i, nil
}

// Firewall lets change see and change the host's rules.
func (h *Host) Firewall(change func(*firewall.Firewall)) {
	h.core.Lock()
	defer h.core.Unlock()
	change(&h.stack.Firewall)
}

// Addresses returns the addresses of the host's interfaces, but for those of lo, in the order they were given.
func (h *Host) Addresses() []netip.Addr { return h.stack.AppendAddresses(nil) }

// newPID returns the number of a new process.
func (h *Host) newPID() int {
	if h.machine != nil {
		return h.machine.newPID()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pid++
	return h.pid
}
