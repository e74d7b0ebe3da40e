// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"io/fs"
	"net/netip"
	"time"
)

// Action is a change of the world that is no call of a process: a step like "sysctl", "firewall", "sleep", "chmod".
type Action interface{ action() }

// Sleep lets time pass.
type Sleep struct{ For time.Duration }

// Sysctl sets a sysctl of a host by its Linux name, as in net.ipv4.tcp_syn_retries.
type Sysctl struct{ Host, Name, Value string }

// Firewall adds a rule to a host, or flushes all of them.
type Firewall struct {
	Host  string
	Flush bool

	Chain    string // "input" or "output"
	Protocol string // "tcp" or "udp"
	Port     int    // destination port; 0 for all
	AckOnly  bool   // TCP segments with ACK and without SYN: the third one of a handshake
	// Verdict is "drop", or how to reject: "tcp-reset", or the name that nft(8) gives to an ICMP or ICMPv6
	// code ("port-unreachable"), told apart by Reject: "icmp", "icmpv6", or "" for drop, tcp-reset and the default.
	Verdict, Reject string
}

// Route adds or deletes a route of a host.
type Route struct {
	Host        string
	Delete      bool
	Type        string // "unicast", "unreachable", "blackhole", "prohibit", "throw"
	Destination netip.Prefix
	Via, Source netip.Addr // zero when not said
	Interface   string     // "" when not said
}

// Rule adds a rule of the routing policy database: a destination gets no look-up but the answer of Type.
type Rule struct {
	Host        string
	Type        string // "unreachable", "blackhole", "prohibit"
	Destination netip.Prefix
}

// Interface takes an interface down or up.
type Interface struct {
	Host, Name string
	Up         bool
}

// InterfaceAddress adds or deletes an address of an interface.
type InterfaceAddress struct {
	Host, Interface string
	Delete          bool
	Address         netip.Prefix
}

// Delay makes the cable at an interface take a time for each packet that leaves through it.
type Delay struct {
	Host, Interface string
	Delay           time.Duration
}

// ICMP sends an ICMP or ICMPv6 error to the host of a socket, about the last packet that the socket sent, from that
// packet's destination.
type ICMP struct {
	Process    string
	FD         int
	Socket     string // its name in the script
	Type, Code int
	MTU        int // next-hop MTU, for "fragmentation needed" and "packet too big"
}

// Stop stops or continues a process, as SIGSTOP and SIGCONT do.
type Stop struct {
	Process  string
	Continue bool
}

// DenyConnect is a policy of the host that refuses connect(2) of INET or INET6 sockets with EPERM: on Linux a BPF program
// at the control group's hook connect4 or connect6.
type DenyConnect struct{ Host, Family string }

// FileKind is a kind of file.
type FileKind string

// The kinds of files.
const (
	Directory FileKind = "dir"
	Regular   FileKind = "file"
	FIFO      FileKind = "fifo"
	Device    FileKind = "device" // a character device, /dev/null's numbers
	Symlink   FileKind = "symlink"
	Hardlink  FileKind = "hardlink"
	Tmpfs     FileKind = "tmpfs" // a directory with a file system of its own
	Disk      FileKind = "disk"  // the same, on a disk that may be broken
)

// MakeFile makes a file in a host's tree. Missing directories above it are made too, with mode 755.
type MakeFile struct {
	Host, Path string
	Kind       FileKind
	Target     string // of a symlink or hard link
}

// ChangeFile changes the mode or the owner of a file.
type ChangeFile struct {
	Host, Path string
	Mode       fs.FileMode // with SetMode
	SetMode    bool
	UID, GID   int // with SetMode unset
}

// RemoveFile unlinks a file, or renames it when To is not empty.
type RemoveFile struct{ Host, Path, To string }

// Remount makes a [Tmpfs] read-only, or a [Disk] broken: reading it fails with EIO from then on.
type Remount struct {
	Host, Path string
	Broken     bool
}

func (Sleep) action()            {}
func (Sysctl) action()           {}
func (Firewall) action()         {}
func (Route) action()            {}
func (Rule) action()             {}
func (Interface) action()        {}
func (InterfaceAddress) action() {}
func (Delay) action()            {}
func (ICMP) action()             {}
func (Stop) action()             {}
func (DenyConnect) action()      {}
func (MakeFile) action()         {}
func (ChangeFile) action()       {}
func (RemoveFile) action()       {}
func (Remount) action()          {}
