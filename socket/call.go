// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"encoding/binary"

	"dialtone/sockaddr"
	"dialtone/trail"
)

// Caps is a set of capabilities(7), of those that sockets ask for.
type Caps uint8

// The capabilities.
const (
	NetBindService Caps = 1 << iota // ports below 1024
	NetAdmin                        // SO_SNDBUFFORCE, SO_MARK and the like
	NetRaw                          // raw and packet sockets, SO_BINDTODEVICE
	DACOverride                     // file permissions do not count
	DACReadSearch                   // search and read permissions do not count
	SysAdmin                        // another's PID in SCM_CREDENTIALS
	SetUID                          // another's UID in SCM_CREDENTIALS
	SetGID                          // another's GID in SCM_CREDENTIALS
	AllCaps        = Caps(1<<iota - 1)
)

// Caller is who makes calls: one thread of a process on a host.
type Caller struct {
	PID      int
	Name     string // of the program, for trails and denials
	UID, GID uint32 // effective
	Groups   []uint32
	Caps     Caps
	SID      uint32 // security identifier; 0: access control's default
	// SocketSID is that of new sockets (setsockcreatecon(3)); 0: as the policy says.
	SocketSID uint32
	// ExecSID is that of the program that it executes next (setexeccon(3)); 0: as the policy says.
	ExecSID uint32
	// Dir is the working directory, an absolute path; "" is the root. It was opened when it became that: permissions on
	// the way to it are not asked again.
	Dir string
	// Domain is the sandbox that the caller is in.
	Domain *Domain
	// Files are the descriptors that /proc/self/fd shows; nil: there is no such directory.
	Files Files
	// Umask holds the permission bits that new files don't get (umask(2)).
	Umask uint32

	sleeping []*sleeper // calls that wait now; the host's lock guards it
}

// Files are a caller's open descriptors.
type Files interface {
	// File returns what a descriptor leads to, nil if it is not open.
	File(fd int) File
}

// May reports whether the caller has all of caps.
func (c *Caller) May(caps Caps) bool { return c.Caps&caps == caps }

// InGroup reports whether gid is one of the caller's groups.
func (c *Caller) InGroup(gid uint32) bool {
	if c.GID == gid {
		return true
	}
	for _, g := range c.Groups {
		if g == gid {
			return true
		}
	}
	return false
}

// Call is one call under way, what it was asked and by whom. It may be used again once the call has returned.
type Call struct {
	Caller *Caller
	// NonBlocking: this call does not wait, whatever the socket's O_NONBLOCK says (MSG_DONTWAIT).
	NonBlocking bool
	// Trail takes the decisions of this call, and of the attempt it starts; nil: nobody wants to know.
	Trail *trail.Trail

	// SID is that of the socket to be made (socket_secure), Wanted that which the peer must have (connect_secure);
	// 0: what the plain call has.
	SID, Wanted uint32

	// WaitAt is set by an endpoint that answers EAGAIN and wants the caller to wait elsewhere than at its socket.
	WaitAt *Queue
	// Final is set by an endpoint whose EAGAIN is the call's answer: there is nothing to wait for.
	Final bool
	// Text, if not nil, is what is to be sent with the connect (MSG_FASTOPEN, or the first send after a deferred one).
	// The endpoint says in Taken how many bytes of it went along.
	Text  []byte
	Taken int
	// ToItself is set by an endpoint that connects to its own address: TCP then opens from both sides at once.
	ToItself bool

	canceled bool     // by Cancel; the host's lock guards it
	at       *sleeper // where the call sleeps now
}

// How says which half shutdown(2) shuts, in its numbers.
type How int

// The halves.
const (
	ShutRD How = iota
	ShutWR
	ShutRDWR
)

// Reads reports whether how shuts the reading half.
func (how How) Reads() bool { return how != ShutWR }

// Writes reports whether how shuts the writing half.
func (how How) Writes() bool { return how != ShutRD }

// Flags of send and recv (send(2), recv(2)), in Linux's numbers.
const (
	MsgOOB         = 0x1
	MsgPeek        = 0x2
	MsgCTrunc      = 0x8
	MsgTrunc       = 0x20
	MsgDontWait    = 0x40
	MsgEOR         = 0x80
	MsgWaitAll     = 0x100
	MsgErrQueue    = 0x2000
	MsgNoSignal    = 0x4000
	MsgMore        = 0x8000
	MsgFastOpen    = 0x20000000
	MsgCmsgCloexec = 0x40000000
)

// Message is what send takes and recv fills (struct msghdr).
type Message struct {
	// Data is the bytes to send, or the room for those received.
	Data  []byte
	Flags int
	// To is the destination given to send, as bytes; nil: none. Its length has been checked as connect's.
	To []byte
	// Rights are descriptors passed along (SCM_RIGHTS): whatever the caller's side takes for one. Credentials is
	// SCM_CREDENTIALS. On receive they are set by the endpoint.
	Rights      []any
	Credentials *Credentials
	// Receiver is the SID that the receiving socket must have (sendto_secure), 0 for any. SID is the message's own: given
	// to send, where 0 is the socket's, and on receive set to what it was.
	Receiver, SID uint32
	// Control is what else goes with the bytes (cmsg(3)): given to send, and on receive set to what the socket asks for.
	Control []ControlMessage

	// Results of recv.
	Sender   uint32         // the SID of the sending socket, without access control 0
	From     sockaddr.Addr  // of the sender; the zero Addr where the family tells none
	Out      int            // MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_ERRQUEUE
	Size     int            // of the datagram received, which may be longer than Data
	Extended *ExtendedError // what MSG_ERRQUEUE took from the error queue
}

// Credentials is struct ucred: who sent (SCM_CREDENTIALS) or who connected (SO_PEERCRED).
type Credentials struct {
	PID      int
	UID, GID uint32
}

// NoPeer are the credentials that SO_PEERCRED tells where no peer is known, as it is of every family but AF_UNIX.
var NoPeer = Credentials{UID: ^uint32(0), GID: ^uint32(0)}

// Ucred returns the credentials as a C program on x86-64 gets them.
func (c Credentials) Ucred() []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(c.PID))
	b = binary.LittleEndian.AppendUint32(b, c.UID)
	return binary.LittleEndian.AppendUint32(b, c.GID)
}

// ExtendedError is struct sock_extended_err of ip(7), with the address of who reported it.
type ExtendedError struct {
	Errno      uint32
	Origin     uint8 // 1 local, 2 ICMP, 3 ICMPv6
	Type, Code uint8
	Info       uint32
	Offender   sockaddr.Addr
}

// Fork returns a caller like c that nothing waits for.
func (c *Caller) Fork() *Caller {
	fresh := *c
	fresh.sleeping = nil
	return &fresh
}
