// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// gvisorStack returns a netstack with one interface. TIME-WAIT is short, so that ports don't run out; SACK is on.
func gvisorStack(ep stack.LinkEndpoint, ip [4]byte) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	if err := s.CreateNIC(1, ep); err != nil {
		return nil, fmt.Errorf("gvisor: %v", err)
	}
	address := tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddrFrom4(ip).WithPrefix(),
	}
	if err := s.AddProtocolAddress(1, address, stack.AddressProperties{}); err != nil {
		return nil, fmt.Errorf("gvisor: %v", err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	sack, timeWait := tcpip.TCPSACKEnabled(true), tcpip.TCPTimeWaitTimeoutOption(time.Second)
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack)
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &timeWait)
	return s, nil
}

func gvisorLoopback() (*ends, error) {
	s, err := gvisorStack(loopback.New(), [4]byte{10, 0, 0, 1})
	if err != nil {
		return nil, err
	}
	return gvisorEnds(s, s, [4]byte{10, 0, 0, 1})
}

func gvisorPipe() (*ends, error) {
	a, b := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", 65536)
	client, err := gvisorStack(a, [4]byte{10, 0, 0, 1})
	if err != nil {
		return nil, err
	}
	server, err := gvisorStack(b, [4]byte{10, 0, 0, 2})
	if err != nil {
		return nil, err
	}
	return gvisorEnds(client, server, [4]byte{10, 0, 0, 2})
}

func gvisorEnds(client, server *stack.Stack, ip [4]byte) (*ends, error) {
	to := tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4(ip), Port: 80}
	l, err := gonet.ListenTCP(server, to, ipv4.ProtocolNumber)
	if err != nil {
		return nil, err
	}
	dial := func() (net.Conn, error) {
		return gonet.DialContextTCP(context.Background(), client, to, ipv4.ProtocolNumber)
	}
	return &ends{listener: l, dial: dial, close: func() {
		client.Close()
		if server != client {
			server.Close()
		}
	}}, nil
}
