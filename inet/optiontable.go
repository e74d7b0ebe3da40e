// SPDX-License-Identifier: Apache-2.0

package inet

import (
	"math"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/wire"
)

// storedKey names an option.
type storedKey struct{ level, name int }

// optionRule says what an option reads before it is set, and what it may be set to. Those that nothing else knows of are
// stored, and read back.
type optionRule struct {
	initial     int
	least, most int  // what it takes, if most is not 0: the rest is EINVAL
	flag        bool // whatever is not 0 is 1
	// empty: no value at all is a 0; with options of IPv6 so are fewer bytes than an int has.
	empty  bool
	stream errno.Errno // of setting it on a stream, unless that is OK
	raw    bool        // it can be set on raw sockets alone
}

// optionRules are the options below SOL_SOCKET that have an int for their value, by experiment on Linux 6.18 (ip(7), ipv6(7),
// tcp(7), udp(7), RFC 3542). What is stored here and does nothing has nothing to do here: no packet has IP options or extension
// headers, or comes in fragments, UDP's checksums are outside of memory, UDP_GRO may join what comes, and need not, and there
// are no flow labels to lease, no messages of ICMP with extensions, no router alerts, and no network cards that sum up packets. TCP's count for the connection: see stream.count.
var optionRules = map[storedKey]optionRule{
	{solIP, ipTOS}:               {empty: true},
	{solIP, ipTTL}:               {least: -1, most: 255},
	{solIP, ipRecvOpts}:          {flag: true, empty: true},
	{solIP, ipRetOpts}:           {flag: true, empty: true},
	{solIP, ipPktInfo}:           {flag: true, empty: true},
	{solIP, ipMTUDiscover}:       {initial: pmtuWant, most: pmtuOmit, empty: true},
	{solIP, ipRecvErr}:           {flag: true, empty: true},
	{solIP, ipRecvTTL}:           {flag: true, empty: true},
	{solIP, ipRecvTOS}:           {flag: true, empty: true},
	{solIP, ipFreeBind}:          {flag: true},
	{solIP, ipTransparent}:       {flag: true},
	{solIP, ipOrigDstAddr}:       {flag: true, empty: true},
	{solIP, ipMinTTL}:            {most: 255},
	{solIP, ipNoDefrag}:          {flag: true, empty: true, raw: true},
	{solIP, ipChecksum}:          {flag: true, empty: true},
	{solIP, ipRecvErrRFC4884}:    {most: 1, empty: true},
	{solIP, ipBindAddressNoPort}: {flag: true, empty: true},
	{solIP, ipRecvFragSize}:      {flag: true, empty: true, stream: errno.EINVAL},
	{solIP, ipMulticastIf}:       {stream: errno.EINVAL},
	{solIP, ipMulticastTTL}:      {initial: 1, least: -1, most: 255, stream: errno.EINVAL},
	{solIP, ipMulticastLoop}:     {initial: 1, flag: true},
	{solIP, ipMulticastAll}:      {initial: 1, most: 1},
	{solIP, ipUnicastIf}:         {},
	{solIP, ipLocalPortRange}:    {},

	{solIPv6, ipv6OldPktInfo}:    {flag: true},
	{solIPv6, ipv6OldHopOpts}:    {flag: true},
	{solIPv6, ipv6OldDstOpts}:    {flag: true},
	{solIPv6, ipv6OldRtHdr}:      {flag: true},
	{solIPv6, ipv6OldHopLimit}:   {flag: true},
	{solIPv6, ipv6MulticastIf}:   {stream: errno.ENOPROTOOPT},
	{solIPv6, ipv6UnicastHops}:   {least: -1, most: 255},
	{solIPv6, ipv6McastHops}:     {initial: 1, least: -1, most: 255, stream: errno.ENOPROTOOPT},
	{solIPv6, ipv6McastLoop}:     {initial: 1, most: 1},
	{solIPv6, ipv6MulticastAll}:  {initial: 1, flag: true},
	{solIPv6, ipv6MTUDiscover}:   {initial: pmtuWant, most: pmtuOmit},
	{solIPv6, ipv6MTU}:           {most: math.MaxInt32},
	{solIPv6, ipv6RecvErr}:       {flag: true},
	{solIPv6, ipv6V6Only}:        {flag: true},
	{solIPv6, ipv6AlertIsolate}:  {flag: true},
	{solIPv6, ipv6RecvErr4884}:   {most: 1},
	{solIPv6, ipv6FlowInfoSend}:  {flag: true},
	{solIPv6, ipv6RecvPktInfo}:   {flag: true},
	{solIPv6, ipv6RecvHopLimit}:  {flag: true},
	{solIPv6, ipv6RecvHopOpts}:   {flag: true},
	{solIPv6, ipv6RecvRtHdr}:     {flag: true},
	{solIPv6, ipv6RecvDstOpts}:   {flag: true},
	{solIPv6, ipv6DontFrag}:      {flag: true, empty: true},
	{solIPv6, ipv6RecvTClass}:    {flag: true},
	{solIPv6, ipv6TClass}:        {least: -1, most: 255},
	{solIPv6, ipv6AutoFlowLabel}: {initial: 1, flag: true, empty: true},
	{solIPv6, ipv6MinHopCount}:   {most: 255},
	{solIPv6, ipv6OrigDstAddr}:   {flag: true},
	{solIPv6, ipv6Transparent}:   {flag: true},
	{solIPv6, ipv6UnicastIf}:     {},
	{solIPv6, ipv6RecvFragSize}:  {flag: true, empty: true},
	{solIPv6, ipv6FreeBind}:      {flag: true},

	{solTCP, tcpCork}:         {flag: true},
	{solTCP, tcpLinger2}:      {},
	{solTCP, tcpWindowClamp}:  {},
	{solTCP, tcpNotSentLowat}: {},

	{solUDP, udpCork}:       {flag: true},
	{solUDP, udpNoCheck6Tx}: {flag: true},
	{solUDP, udpNoCheck6Rx}: {flag: true},
	{solUDP, udpSegment}:    {most: math.MaxUint16},
	{solUDP, udpGRO}:        {flag: true},
}

// emptyOptions are those whose value would be IP options or an extension header. There are none, so they read empty, and can
// be set to that alone.
var emptyOptions = map[storedKey]bool{
	{solIP, ipOptionsName}: true, {solIPv6, ipv6HopOpts}: true, {solIPv6, ipv6RtHdrDstOpts}: true,
	{solIPv6, ipv6RtHdr}: true, {solIPv6, ipv6DstOpts}: true,
}

// value reads what an option of the level is set to. Those of IPv4 take one byte for an int, which is unsigned
// (do_ip_setsockopt).
func (r *optionRule) value(level int, b []byte) (int, errno.Errno) {
	n := 0
	switch {
	case len(b) >= 4:
		n = socket.IntValue(b)
	case level == solIP && len(b) > 0:
		n = int(b[0])
	case !r.empty:
		return 0, errno.EINVAL
	}
	switch {
	case r.flag && n != 0:
		n = 1
	case r.most != 0 && (n < r.least || n > r.most):
		return 0, errno.EINVAL
	}
	return n, errno.OK
}

// knows reports whether the holder's socket has options of the level.
func (h *hold) knows(level int) bool {
	switch level {
	case solIP:
		return true
	case solIPv6:
		return h.sock.Family == sockaddr.Inet6
	case solTCP:
		return h.sock.Type == socket.Stream
	case solUDP:
		return h.sock.Protocol == int32(wire.UDP) || h.sock.Protocol == int32(wire.UDPLite)
	}
	return false
}
