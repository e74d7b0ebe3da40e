// SPDX-License-Identifier: Apache-2.0

package selinux

import "dialtone/selinux/internal/policydb"

// Class is an object class that the socket layer asks about. Its number is the same for every policy; a Server
// maps classes and permissions to its policy by name, as the kernel does.
type Class uint16

// The classes. Those of sockets come first, see Class.Socket.
const (
	ClassNone Class = iota
	ClassSocket
	ClassTCPSocket
	ClassUDPSocket
	ClassRawIPSocket
	ClassUnixStreamSocket
	ClassUnixDgramSocket
	ClassICMPSocket
	ClassSCTPSocket
	ClassDCCPSocket
	ClassNetlinkSocket
	ClassNetlinkRouteSocket
	ClassPacketSocket
	ClassKeySocket
	ClassVsockSocket
	ClassProcess
	ClassNode
	ClassNetif
	ClassPeer
	ClassPacket
	ClassSecurity
	ClassFile
	numClasses
)

// Perm is a set of permissions of one Class.
type Perm uint32

// Permissions of every socket class. The first 21 are the kernel's common socket permissions; the rest belong to
// some classes of the kernel or to Flask's socket calls, and are unknown to a policy that does not declare them.
const (
	SocketIoctl Perm = 1 << iota
	SocketRead
	SocketWrite
	SocketCreate
	SocketGetattr
	SocketSetattr
	SocketLock
	SocketRelabelfrom
	SocketRelabelto
	SocketAppend
	SocketMap
	SocketBind
	SocketConnect
	SocketListen
	SocketAccept
	SocketGetopt
	SocketSetopt
	SocketShutdown
	SocketRecvfrom
	SocketSendto
	SocketNameBind
	SocketNodeBind    // bind to an address of a node
	SocketNameConnect // connect to a port
	SocketAssociation // SCTP
	SocketConnectto   // reach a listening socket; AF_UNIX, and Flask's TCP
	SocketNewconn     // Flask: make sockets for new connections with another SID
	SocketAcceptfrom  // Flask: accept a connection from a client
	SocketRecvMsg     // Flask: receive a message with a SID of its own
	SocketSendMsg     // Flask: send one
)

// Permissions of ClassProcess.
const (
	ProcessFork Perm = 1 << iota
	ProcessTransition
	ProcessSigchld
	ProcessSetsockcreate
	ProcessDyntransition
	ProcessSetcurrent
	ProcessGetattr
	ProcessSetexec
)

// Permissions of ClassNode.
const (
	NodeRecvfrom Perm = 1 << iota
	NodeSendto
	NodeEnforceDest // Flask: the node is trusted to enforce the wanted SID of a peer
)

// Permissions of ClassNetif.
const (
	NetifIngress Perm = 1 << iota
	NetifEgress
)

// Permission of ClassPeer.
const PeerRecv Perm = 1

// Permissions of ClassPacket.
const (
	PacketSend Perm = 1 << iota
	PacketRecv
	PacketRelabelto
	PacketFlowIn
	PacketFlowOut
	PacketForwardIn
	PacketForwardOut
)

// Permissions of ClassSecurity, asked about the SID InitialSecurity. Flask's five come first.
const (
	SecurityComputeAV Perm = 1 << iota
	SecurityTransitionSID
	SecurityMemberSID
	SecuritySIDToContext
	SecurityContextToSID
	SecurityChangeSID
	SecurityCheckContext
	SecurityLoadPolicy
	SecuritySetenforce
	SecuritySetbool
)

// Permissions of ClassFile, of those that execve(2) asks for.
const (
	FileExecute Perm = 1 << iota
	FileExecuteNoTrans
	FileEntrypoint
)

// socketPerms are the names of the socket permissions in bit order. A kernel declares the first kernelSocketPerms
// for each socket class; a policy with "handle_unknown reject" must know those.
var socketPerms = []string{
	"ioctl", "read", "write", "create", "getattr", "setattr", "lock", "relabelfrom", "relabelto", "append", "map",
	"bind", "connect", "listen", "accept", "getopt", "setopt", "shutdown", "recvfrom", "sendto", "name_bind",
	"node_bind", "name_connect", "association", "connectto", "newconn", "acceptfrom", "recv_msg", "send_msg",
}

const kernelSocketPerms = 21

var classes = [numClasses]struct {
	name     string
	perms    []string // in bit order
	required int      // how many of perms, from the first, are declared by every kernel
}{
	ClassSocket:             {"socket", socketPerms, kernelSocketPerms},
	ClassTCPSocket:          {"tcp_socket", socketPerms, kernelSocketPerms},
	ClassUDPSocket:          {"udp_socket", socketPerms, kernelSocketPerms},
	ClassRawIPSocket:        {"rawip_socket", socketPerms, kernelSocketPerms},
	ClassUnixStreamSocket:   {"unix_stream_socket", socketPerms, kernelSocketPerms},
	ClassUnixDgramSocket:    {"unix_dgram_socket", socketPerms, kernelSocketPerms},
	ClassICMPSocket:         {"icmp_socket", socketPerms, kernelSocketPerms},
	ClassSCTPSocket:         {"sctp_socket", socketPerms, kernelSocketPerms},
	ClassDCCPSocket:         {"dccp_socket", socketPerms, kernelSocketPerms},
	ClassNetlinkSocket:      {"netlink_socket", socketPerms, kernelSocketPerms},
	ClassNetlinkRouteSocket: {"netlink_route_socket", socketPerms, kernelSocketPerms},
	ClassPacketSocket:       {"packet_socket", socketPerms, kernelSocketPerms},
	ClassKeySocket:          {"key_socket", socketPerms, kernelSocketPerms},
	ClassVsockSocket:        {"vsock_socket", socketPerms, kernelSocketPerms},
	ClassProcess: {"process", []string{
		"fork", "transition", "sigchld", "setsockcreate", "dyntransition", "setcurrent", "getattr", "setexec",
	}, 8},
	ClassNode:  {"node", []string{"recvfrom", "sendto", "enforce_dest"}, 2},
	ClassNetif: {"netif", []string{"ingress", "egress"}, 2},
	ClassPeer:  {"peer", []string{"recv"}, 1},
	ClassPacket: {"packet", []string{
		"send", "recv", "relabelto", "flow_in", "flow_out", "forward_in", "forward_out",
	}, 3},
	ClassSecurity: {"security", []string{
		"compute_av", "transition_sid", "member_sid", "sid_to_context", "context_to_sid", "change_sid",
		"check_context", "load_policy", "setenforce", "setbool",
	}, 1},
	ClassFile: {"file", []string{"execute", "execute_no_trans", "entrypoint"}, 0},
}

// String gives the class's name in a policy.
func (c Class) String() string {
	if c == ClassNone || c >= numClasses {
		return "none"
	}
	return classes[c].name
}

// Socket tells if c is a class of sockets, whose permissions are the Socket… ones.
func (c Class) Socket() bool { return c >= ClassSocket && c <= ClassVsockSocket }

// PermissionNames names the bits of perms, from the lowest.
func (c Class) PermissionNames(perms Perm) []string {
	names := []string{}
	if c < numClasses {
		for i, name := range classes[c].perms {
			if perms>>i&1 != 0 {
				names = append(names, name)
			}
		}
	}
	return names
}

// permissions gives all that have a name.
func (c Class) permissions() Perm {
	if c >= numClasses {
		return 0
	}
	return 1<<len(classes[c].perms) - 1
}

// classMap is where a Class and its permissions are in a policy.
type classMap struct {
	value   ClassValue // 0 if the policy lacks the class
	perms   [32]uint32 // for the permission 1<<i the policy's bit, 0 if it lacks it
	known   Perm       // the permissions that it has
	unknown Perm       // the permissions that it lacks
}

func (p *Policy) mapClass(c Class) classMap {
	var m classMap
	m.value, _ = p.Class(c.String())
	for i, name := range classes[c].perms {
		if bit, ok := p.Permission(m.value, name); ok {
			m.perms[i] = bit
			m.known |= 1 << i
		} else {
			m.unknown |= 1 << i
		}
	}
	return m
}

// translate gives the policy's vector v in the bits of the Class.
func (m *classMap) translate(v uint32) Perm {
	var perms Perm
	for i, bit := range m.perms {
		if bit&v != 0 {
			perms |= 1 << i
		}
	}
	return perms
}

// missing names a class or permission that every kernel declares and the policy lacks, or gives "".
func (p *Policy) missing() string {
	for c := ClassNone + 1; c < numClasses; c++ {
		m := &p.classes[c]
		if m.value == 0 && classes[c].required > 0 {
			return "class " + c.String()
		}
		if lacks := m.unknown & (1<<classes[c].required - 1); lacks != 0 {
			return "permission " + c.PermissionNames(lacks)[0] + " of class " + c.String()
		}
	}
	return ""
}

// allowsUnknown tells if classes and permissions that the policy lacks are granted.
func (p *Policy) allowsUnknown() bool { return p.db.Unknown == policydb.UnknownAllow }
