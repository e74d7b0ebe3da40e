// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package kernelarm

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"dialtone/conformance"
)

func (p *performer) sendmsg() (string, unix.Errno) {
	d := p.args[1].Data
	address, release, e := p.pointer(p.args[2].Address)
	if e != 0 {
		return "", e
	}
	defer release()
	var iov unix.Iovec
	if len(d) > 0 {
		iov.Base = &d[0]
		iov.SetLen(len(d))
	}
	header := unix.Msghdr{Namelen: uint32(p.args[2].Address.Len), Iov: &iov, Iovlen: 1}
	control, e := p.control(4)
	if e != 0 {
		return "", e
	}
	if len(control) > 0 {
		header.Control = &control[0]
		header.SetControllen(len(control))
	}
	*(*uintptr)(unsafe.Pointer(&header.Name)) = address // NULL and bad pointers too
	return p.count(p.sys(unix.SYS_SENDMSG, p.fd(), ref(p, &header), p.flags(3)))
}

// control lays out the control messages from the i-th argument on.
func (p *performer) control(i int) (b []byte, e unix.Errno) {
	for ; i < len(p.args); i++ {
		c := p.args[i].Control
		data, err := c.Resolved(interfaceIndex)
		if err != nil {
			return nil, err.(unix.Errno)
		}
		at := len(b)
		b = append(b, make([]byte, unix.CmsgSpace(len(data)))...)
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
		h.Level, h.Type = int32(c.Level), int32(c.Type)
		h.SetLen(unix.CmsgLen(len(data)))
		copy(b[at+unix.CmsgLen(0):], data)
	}
	return b, 0
}

// recvmsg receives with the sender's name, and with what IP_RECVERR queued; the other control messages are told if all are
// asked for.
func (p *performer) recvmsg(all bool) (string, unix.Errno) {
	buf, from, control := make([]byte, 2048), make([]byte, 128), make([]byte, 512)
	iov := unix.Iovec{Base: &buf[0]}
	iov.SetLen(len(buf))
	header := unix.Msghdr{Name: &from[0], Namelen: uint32(len(from)), Iov: &iov, Iovlen: 1, Control: &control[0]}
	header.SetControllen(len(control))
	n, e := p.sys(unix.SYS_RECVMSG, p.fd(), ref(p, &header), p.flags(1))
	if e != 0 {
		return "", e
	}
	name := "nobody"
	if header.Namelen > 0 {
		name = conformance.AddressText(from[:header.Namelen], interfaceName)
	}
	messages, err := unix.ParseSocketControlMessage(control[:header.Controllen])
	if err != nil {
		return "", unix.EINVAL
	}
	value := conformance.ReceivedFrom(buf[:n], name)
	var told []string
	for _, m := range messages {
		if all {
			told = append(told, conformance.ControlText(int(m.Header.Level), int(m.Header.Type), m.Data, interfaceName))
		}
		isError := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR ||
			m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if isError && len(m.Data) >= 16 { // struct sock_extended_err, and the offender's address behind it
			offender := conformance.AddressText(m.Data[16:], interfaceName)
			value = conformance.QueuedError(buf[:n], name, int(binary.NativeEndian.Uint32(m.Data)), int(m.Data[5]),
				int(m.Data[6]), offender)
		}
	}
	return conformance.WithControl(value, told), 0
}
