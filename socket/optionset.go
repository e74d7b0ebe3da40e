// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"strconv"
	"strings"
	"time"
)

// options are the options of SOL_SOCKET. Those that nothing here acts on are stored, so that they read back.
type options struct {
	ReuseAddr, ReusePort, Broadcast, KeepAlive bool
	PassCred, OOBInline, DontRoute             bool
	LingerOn                                   bool
	drops                                      bool  // SO_RXQ_OVFL
	stamps                                     stamp // how what is received tells when it came
	Linger                                     int32 // SO_LINGER's time, in seconds
	SendBuffer, ReceiveBuffer                  int32 // bytes, as doubled; 0: the family's default

	rare *rareOptions // never written to, for sockets share it: see change; nil: none of them is set
}

// rareOptions are those that few sockets have, so that the others are small.
type rareOptions struct {
	sendTimeout, receiveTimeout time.Duration // 0: for ever
	priority, mark              uint32
	receiveLow                  int32
	device                      string // SO_BINDTODEVICE
	domain                      *Domain
	pacing                      pacing
	stored                      map[int]int // by name; see optionRules
}

// get returns the rare options, to read.
func (o *options) get() rareOptions {
	if o.rare == nil {
		return rareOptions{}
	}
	return *o.rare
}

// change returns the rare options to write to.
func (o *options) change() *rareOptions {
	r := o.get()
	o.rare = &r
	return o.rare
}

// MissingDevice is the device of a socket that is bound to an interface by its index, and there is none. It has a character
// that no interface's name may have.
func MissingDevice(index uint32) string { return missing + strconv.FormatUint(uint64(index), 10) }

const missing = "/"

// MissingIndex returns the index that [MissingDevice] was made of, 0 if it was not.
func (o *options) MissingIndex() uint32 {
	text, ok := strings.CutPrefix(o.Device(), missing)
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		panic("socket: no device's name begins so: " + o.Device())
	}
	return uint32(n)
}

// Device returns the interface that the socket is bound to (SO_BINDTODEVICE), "" for none.
func (o *options) Device() string {
	if o.rare == nil {
		return ""
	}
	return o.rare.device
}

// SetDevice binds the socket to an interface, or with "" to none.
func (o *options) SetDevice(name string) {
	if name != o.Device() {
		o.change().device = name
	}
}

// NoCheck reports whether datagrams of IPv4 go without a checksum (SO_NO_CHECK).
func (o *options) NoCheck() bool { return o.kept(SoNoCheck, optionRules[SoNoCheck]) != 0 }

// SelectErrQueue reports whether what is in the error queue polls POLLPRI, too (SO_SELECT_ERR_QUEUE).
func (o *options) SelectErrQueue() bool {
	return o.kept(soSelectErrQueue, optionRules[soSelectErrQueue]) != 0
}

// ReceiveLow returns how many bytes make a socket readable (SO_RCVLOWAT), at least 1.
func (o *options) ReceiveLow() int {
	if o.rare == nil {
		return 1
	}
	return int(max(o.rare.receiveLow, 1))
}

// Options returns the socket's options at SOL_SOCKET, for endpoints to read.
func (s *Socket) Options() *options { return &s.opts }

// flag returns the on/off option with the given name, nil if it is none.
func (o *options) flag(name int) *bool {
	switch name {
	case SoReuseAddr:
		return &o.ReuseAddr
	case SoReusePort:
		return &o.ReusePort
	case SoBroadcast:
		return &o.Broadcast
	case SoKeepAlive:
		return &o.KeepAlive
	case SoPassCred:
		return &o.PassCred
	case SoOOBInline:
		return &o.OOBInline
	case SoDontRoute:
		return &o.DontRoute
	case soRxQOvfl:
		return &o.drops
	}
	return nil
}
