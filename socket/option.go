// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"bytes"
	"encoding/binary"
	"strings"

	"dialtone/errno"
	"dialtone/personality"
	"dialtone/sockaddr"
)

// SolSocket is the level of the options here (socket(7)).
const SolSocket = 1

// The options of SOL_SOCKET, in Linux's numbers for x86-64.
const (
	SoReuseAddr    = 2
	SoType         = 3
	SoError        = 4
	SoDontRoute    = 5
	SoBroadcast    = 6
	SoSndBuf       = 7
	SoRcvBuf       = 8
	SoKeepAlive    = 9
	SoOOBInline    = 10
	SoNoCheck      = 11
	SoPriority     = 12
	SoLinger       = 13
	SoReusePort    = 15
	SoPassCred     = 16
	SoPeerCred     = 17
	SoRcvLowAt     = 18
	SoSndLowAt     = 19
	SoRcvTimeo     = 20
	SoSndTimeo     = 21
	SoBindToDevice = 25
	SoTimestamp    = 29
	SoAcceptConn   = 30
	SoPeerSec      = 31
	SoSndBufForce  = 32
	SoRcvBufForce  = 33
	SoMark         = 36
	SoProtocol     = 38
	SoDomain       = 39
	SoCookie       = 57
	SoBindToIndex  = 62 // SO_BINDTOIFINDEX
	SoRcvTimeoNew  = 66 // the same as SoRcvTimeo, where times have 64 bits anyway
	SoSndTimeoNew  = 67
)

// KeepAlive is implemented by an [Endpoint] that can look after a silent peer: SO_KEEPALIVE was switched.
type KeepAlive interface {
	KeepAlive(on bool)
}

// Buffered is implemented by an [Endpoint] that keeps the sizes of its buffers itself: SO_SNDBUF or SO_RCVBUF was set.
type Buffered interface {
	SetBuffers()
}

// Option is getsockopt(2). The value is as a C program on x86-64 gets it; the caller cuts it to the room there is.
func (s *Socket) Option(c *Call, level, name int) ([]byte, errno.Errno) {
	if e := s.enter(); e != errno.OK {
		return nil, e
	}
	defer s.leave(c)
	if e := s.check(c, OpGetOption, nil); e != errno.OK {
		return nil, e
	}
	if level != SolSocket {
		return s.Endpoint.Option(c, level, name)
	}
	o := &s.opts
	if e := s.lacks(name); e != errno.OK {
		return nil, e
	}
	if f := o.flag(name); f != nil {
		return Bool(*f), errno.OK
	}
	if as := stampBy(name); as != noStamp {
		return Bool(as == o.stamps || as == stampMicrosNew && o.stamps == stampNanosNew), errno.OK
	}
	switch name {
	case SoError:
		return Int(int(s.readError())), errno.OK
	case SoType:
		return Int(int(s.Type)), errno.OK
	case SoProtocol:
		return Int(int(s.Protocol)), errno.OK
	case SoDomain:
		return Int(int(s.Family)), errno.OK
	case SoAcceptConn:
		return Bool(s.Listening()), errno.OK
	case SoCookie:
		return binary.LittleEndian.AppendUint64(nil, s.Cookie), errno.OK
	case SoLinger:
		return append(Bool(o.LingerOn), Int(int(o.Linger))...), errno.OK
	case SoSndTimeo, SoSndTimeoNew:
		return timeval(o.get().sendTimeout), errno.OK
	case SoRcvTimeo, SoRcvTimeoNew:
		return timeval(o.get().receiveTimeout), errno.OK
	case SoSndBuf:
		if o.SendBuffer > 0 || !s.isTCP() {
			return Int(s.SendBuffer()), errno.OK
		}
	case SoRcvBuf:
		if o.ReceiveBuffer > 0 || !s.isTCP() {
			return Int(s.ReceiveBuffer()), errno.OK
		}
	case SoPriority:
		return Int(int(o.get().priority)), errno.OK
	case SoMark:
		return Int(int(o.get().mark)), errno.OK
	case SoRcvLowAt:
		return Int(o.ReceiveLow()), errno.OK
	case SoSndLowAt:
		return Int(1), errno.OK
	case soMaxPacingRate:
		return o.get().pacing.value(), errno.OK
	case SoPeerCred:
		if s.Family != sockaddr.Unix {
			return NoPeer.Ucred(), errno.OK
		}
	case SoPeerSec:
		return s.peerSecurity()
	case SoBindToDevice:
		if strings.HasPrefix(o.Device(), missing) {
			return nil, errno.ENODEV
		}
		if o.Device() == "" {
			return nil, errno.OK
		}
		return append([]byte(o.Device()), 0), errno.OK
	}
	if rule, ok := optionRules[name]; ok {
		return o.stored(name, rule)
	}
	return s.Endpoint.Option(c, level, name)
}

// peerSecurity is SO_PEERSEC: the peer's context as text, with its terminating NUL.
func (s *Socket) peerSecurity() ([]byte, errno.Errno) {
	if s.Core.Access == nil {
		return nil, errno.ENOPROTOOPT
	}
	context, e := s.Core.Access.PeerContext(s)
	if e != errno.OK {
		return nil, e
	}
	return append([]byte(context), 0), errno.OK
}

// SetOption is setsockopt(2).
func (s *Socket) SetOption(c *Call, level, name int, value []byte) errno.Errno {
	if e := s.enter(); e != errno.OK {
		return e
	}
	defer s.leave(c)
	if e := s.check(c, OpSetOption, nil); e != errno.OK {
		return e
	}
	if level != SolSocket {
		return s.Endpoint.SetOption(c, level, name, value)
	}
	o := &s.opts
	if name == SoBindToDevice {
		return s.bindToDevice(c, value)
	}
	if len(value) < 4 {
		return errno.EINVAL
	}
	n := IntValue(value)
	if e := s.lacks(name); e != errno.OK {
		return e
	}
	if f := o.flag(name); f != nil {
		if name == SoReusePort && n != 0 && s.Family == sockaddr.Unix {
			return errno.EOPNOTSUPP // since Linux 6.14: only for internet sockets
		}
		*f = n != 0
		if k, ok := s.Endpoint.(KeepAlive); ok && name == SoKeepAlive {
			k.KeepAlive(n != 0)
		}
		return errno.OK
	}
	if as := stampBy(name); as != noStamp {
		if o.stamps = noStamp; n != 0 {
			o.stamps = as
		}
		return errno.OK
	}
	switch name {
	case SoLinger:
		if len(value) < 8 {
			return errno.EINVAL
		}
		o.LingerOn, o.Linger = n != 0, int32(IntValue(value[4:]))
	case SoSndTimeo, SoSndTimeoNew:
		return setTimeval(&o.change().sendTimeout, value)
	case SoRcvTimeo, SoRcvTimeoNew:
		return setTimeval(&o.change().receiveTimeout, value)
	case SoSndBuf:
		o.SendBuffer = doubled(n, minSendBuffer)
		s.buffersSet()
		s.Wake(Out)
	case SoRcvBuf:
		o.ReceiveBuffer = doubled(n, minReceiveBuffer)
		s.buffersSet()
	case SoPriority:
		o.change().priority = uint32(n)
	case SoMark:
		if c.Caller != nil && !c.Caller.May(NetAdmin) {
			return errno.EPERM
		}
		o.change().mark = uint32(n)
	case soMaxPacingRate:
		o.change().pacing = paced(value)
	case SoRcvLowAt:
		o.change().receiveLow = s.receiveLow(n)
	case SoSndBufForce, SoRcvBufForce:
		return s.forceBuffer(c, name, max(n, 0))
	case SoType, SoProtocol, SoDomain, SoError, SoAcceptConn, SoSndLowAt, SoCookie, SoPeerCred:
		return errno.ENOPROTOOPT
	default:
		if rule, ok := optionRules[name]; ok {
			return o.store(c, name, n, rule)
		}
		return s.Endpoint.SetOption(c, level, name, value)
	}
	return errno.OK
}

// bindToDevice is SO_BINDTODEVICE: the value is an interface's name, cut at its first NUL; the endpoint says whether
// there is one.
func (s *Socket) bindToDevice(c *Call, value []byte) errno.Errno {
	value, _, _ = bytes.Cut(value, []byte{0})
	if !s.MayRebind(c) {
		return errno.EPERM
	}
	if len(value) > 0 {
		if e := s.Endpoint.SetOption(c, SolSocket, SoBindToDevice, value); e != errno.OK {
			return e
		}
	}
	s.opts.SetDevice(string(value))
	return errno.OK
}

// MayRebind reports whether a caller may bind the socket to another device: to change it needs CAP_NET_RAW, since Linux 5.7 to
// set it does not (socket(7)).
func (s *Socket) MayRebind(c *Call) bool {
	return s.opts.Device() == "" || c.Caller == nil || c.Caller.May(NetRaw)
}

// Listening reports whether the socket accepts connections (SO_ACCEPTCONN).
func (s *Socket) Listening() bool { return s.state == personality.Listening }

func (s *Socket) buffersSet() {
	if b, ok := s.Endpoint.(Buffered); ok {
		b.SetBuffers()
	}
}
