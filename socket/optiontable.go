// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"maps"
	"math"

	"dialtone/errno"
	"dialtone/sockaddr"
)

// optionRule says what an option of SOL_SOCKET that nothing here depends on reads before it is set, and what it may be set to.
type optionRule struct {
	initial     int
	least, most int         // what it takes, if most is not 0: the rest is EINVAL
	flag        bool        // whatever is not 0 is 1
	admin       errno.Errno // of who sets it to more than it is without CAP_NET_ADMIN, unless that is OK
	inert       bool        // what it is set to is forgotten
	hidden      bool        // it can't be read
	fixed       bool        // it can't be set
}

// optionRules are those options, by experiment on Linux 6.18 (socket(7), sk_setsockopt). What they are about (checksums, network
// cards, processors, routes' hashes) is not there in memory.
var optionRules = map[int]optionRule{
	soDebug:          {flag: true, admin: errno.EACCES},
	SoNoCheck:        {flag: true},
	soBSDCompat:      {inert: true},
	soWifiStatus:     {flag: true},
	soNoFCS:          {flag: true},
	soSelectErrQueue: {flag: true},
	soBusyPoll:       {most: math.MaxInt32},
	soBPFExtensions:  {initial: 64, fixed: true},
	soIncomingCPU:    {initial: -1},
	soCnxAdvice:      {hidden: true},
	soIncomingNAPIID: {fixed: true},
	soPreferBusyPoll: {flag: true, admin: errno.EPERM},
	soBusyPollBudget: {most: math.MaxUint16, admin: errno.EPERM, hidden: true},
	soTxRehash:       {initial: 1, least: -1, most: 1},
}

// Options that are named here alone.
const (
	soDebug           = 1
	soBSDCompat       = 14
	soPassSec         = 34
	soTimestampNS     = 35
	soTimestamping    = 37
	soRxQOvfl         = 40
	soWifiStatus      = 41
	soPeekOff         = 42
	soNoFCS           = 43
	soSelectErrQueue  = 45
	soBusyPoll        = 46
	soMaxPacingRate   = 47
	soBPFExtensions   = 48
	soIncomingCPU     = 49
	soCnxAdvice       = 53
	soIncomingNAPIID  = 56
	soTimestampNew    = 63
	soTimestampNSNew  = 64
	soTimestampingNew = 65
	soPreferBusyPoll  = 69
	soBusyPollBudget  = 70
	soTxRehash        = 74
	soPassPIDFD       = 76
	soPassRights      = 83
)

// lacks is the error of an option that sockets of other families, or types, have.
func (s *Socket) lacks(name int) errno.Errno {
	switch name {
	case SoPassCred, soPassSec, soPassPIDFD, soPassRights:
		if s.Family == sockaddr.Inet || s.Family == sockaddr.Inet6 {
			return errno.EOPNOTSUPP // sk_may_scm_recv, since Linux 6.16
		}
	case soPeekOff:
		if s.Type == Raw {
			return errno.EOPNOTSUPP
		}
	case soTxRehash:
		if !s.isTCP() {
			return errno.EOPNOTSUPP
		}
	}
	return errno.OK
}

// stored reads an option that is stored.
func (o *options) stored(name int, rule optionRule) ([]byte, errno.Errno) {
	if rule.hidden {
		return nil, errno.ENOPROTOOPT
	}
	return Int(o.kept(name, rule)), errno.OK
}

func (o *options) kept(name int, rule optionRule) int {
	if n, ok := o.get().stored[name]; ok {
		return n
	}
	return rule.initial
}

// store sets an option that is stored.
func (o *options) store(c *Call, name, n int, rule optionRule) errno.Errno {
	if rule.flag && n != 0 {
		n = 1
	}
	switch {
	case rule.fixed:
		return errno.ENOPROTOOPT
	case rule.admin != errno.OK && n > o.kept(name, rule) && c.Caller != nil && !c.Caller.May(NetAdmin):
		return rule.admin
	case rule.most != 0 && (n < rule.least || n > rule.most):
		return errno.EINVAL
	case rule.inert:
		return errno.OK
	case name == soTxRehash && n == -1:
		n = rule.initial
	}
	r := o.change()
	if r.stored = maps.Clone(r.stored); r.stored == nil { // sockets share it
		r.stored = map[int]int{}
	}
	r.stored[name] = n
	return errno.OK
}

// forceBuffer is SO_SNDBUFFORCE and SO_RCVBUFFORCE.
func (s *Socket) forceBuffer(c *Call, name, n int) errno.Errno {
	if c.Caller != nil && !c.Caller.May(NetAdmin) {
		return errno.EPERM
	}
	if name == SoRcvBufForce {
		s.opts.ReceiveBuffer = forced(n, minReceiveBuffer)
	} else {
		s.opts.SendBuffer = forced(n, minSendBuffer)
	}
	s.buffersSet()
	if name == SoSndBufForce {
		s.Wake(Out)
	}
	return errno.OK
}

// receiveLow returns what SO_RCVLOWAT reads once it is set: a negative number is the greatest there is (sk_setsockopt). On Linux
// TCP's is then half of the largest buffer, here 1: a connection whose buffer is less would never be readable.
func (s *Socket) receiveLow(n int) int32 {
	if n < 0 && !s.isTCP() {
		n = math.MaxInt32
	}
	return int32(max(n, 1))
}
