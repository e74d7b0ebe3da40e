// SPDX-License-Identifier: Apache-2.0

package inet

// Levels, in Linux's numbers.
const (
	solIP   = 0
	solTCP  = 6
	solUDP  = 17
	solIPv6 = 41
)

// Options of the levels IP, IPv6 and UDP, in Linux's numbers (ip(7), ipv6(7), udp(7)).
const (
	ipTOS               = 1
	ipTTL               = 2
	ipOptionsName       = 4
	ipRecvOpts          = 6
	ipRetOpts           = 7
	ipPktInfo           = 8
	ipMTUDiscover       = 10
	ipRecvErr           = 11
	ipRecvTTL           = 12
	ipRecvTOS           = 13
	ipMTU               = 14
	ipFreeBind          = 15
	ipTransparent       = 19
	ipOrigDstAddr       = 20
	ipMinTTL            = 21
	ipNoDefrag          = 22
	ipChecksum          = 23
	ipBindAddressNoPort = 24
	ipRecvFragSize      = 25
	ipRecvErrRFC4884    = 26
	ipMulticastIf       = 32
	ipMulticastTTL      = 33
	ipMulticastLoop     = 34
	ipMulticastAll      = 49
	ipUnicastIf         = 50
	ipLocalPortRange    = 51
	ipProtocol          = 52

	ipv6AddrForm      = 1
	ipv6OldPktInfo    = 2 // this, the next three and IPV6_2292HOPLIMIT: of RFC 2292
	ipv6OldHopOpts    = 3
	ipv6OldDstOpts    = 4
	ipv6OldRtHdr      = 5
	ipv6OldHopLimit   = 8
	ipv6FlowInfo      = 11
	ipv6UnicastHops   = 16
	ipv6MulticastIf   = 17
	ipv6McastHops     = 18
	ipv6McastLoop     = 19
	ipv6MTUDiscover   = 23
	ipv6MTU           = 24
	ipv6RecvErr       = 25
	ipv6V6Only        = 26
	ipv6MulticastAll  = 29
	ipv6AlertIsolate  = 30 // IPV6_ROUTER_ALERT_ISOLATE
	ipv6RecvErr4884   = 31 // IPV6_RECVERR_RFC4884
	ipv6FlowInfoSend  = 33
	ipv6RecvPktInfo   = 49
	ipv6PktInfo       = 50
	ipv6RecvHopLimit  = 51
	ipv6HopLimit      = 52
	ipv6RecvHopOpts   = 53
	ipv6HopOpts       = 54
	ipv6RtHdrDstOpts  = 55
	ipv6RecvRtHdr     = 56
	ipv6RtHdr         = 57
	ipv6RecvDstOpts   = 58
	ipv6DstOpts       = 59
	ipv6PathMTU       = 61
	ipv6DontFrag      = 62
	ipv6RecvTClass    = 66
	ipv6TClass        = 67
	ipv6AutoFlowLabel = 70
	ipv6MinHopCount   = 73
	ipv6OrigDstAddr   = 74
	ipv6Transparent   = 75
	ipv6UnicastIf     = 76
	ipv6RecvFragSize  = 77
	ipv6FreeBind      = 78

	udpCork       = 1
	udpNoCheck6Tx = 101
	udpNoCheck6Rx = 102
	udpSegment    = 103
	udpGRO        = 104
)
