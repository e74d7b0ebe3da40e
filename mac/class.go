// SPDX-License-Identifier: Apache-2.0

package mac

import (
	"dialtone/selinux"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// IP protocol numbers, as socket(2) takes them.
const (
	protoTCP   = 6
	protoMPTCP = 262
)

// classOf returns the class of a socket (socket_type_to_security_class).
func classOf(family sockaddr.Family, typ socket.Type, protocol int) selinux.Class {
	switch {
	case family == sockaddr.Unix && typ.ConnectionOriented():
		return selinux.ClassUnixStreamSocket
	case family == sockaddr.Unix:
		return selinux.ClassUnixDgramSocket
	case family == sockaddr.Netlink && protocol == 0:
		return selinux.ClassNetlinkRouteSocket
	case family == sockaddr.Netlink:
		return selinux.ClassNetlinkSocket
	case family == sockaddr.Packet:
		return selinux.ClassPacketSocket
	case family == sockaddr.Vsock:
		return selinux.ClassVsockSocket
	case typ.ConnectionOriented() && (protocol == 0 || protocol == protoTCP || protocol == protoMPTCP):
		return selinux.ClassTCPSocket
	case typ == socket.Dgram && (protocol == 0 || protocol == int(wire.UDP) || protocol == int(wire.UDPLite)):
		return selinux.ClassUDPSocket
	}
	return selinux.ClassRawIPSocket
}

func classOfSocket(s *socket.Socket) selinux.Class { return classOf(s.Family, s.Type, int(s.Protocol)) }

// classOfPacket returns the class of the socket that a packet is from or for.
func classOfPacket(p *wire.Packet) selinux.Class {
	if p.Proto == wire.TCP {
		return selinux.ClassTCPSocket
	}
	return selinux.ClassUDPSocket
}
