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
	*(*uintptr)(unsafe.Pointer(&header.Name)) = address // NULL and bad pointers too
	return p.count(p.sys(unix.SYS_SENDMSG, p.fd(), ref(p, &header), p.flags(3)))
}

// recvmsg receives with the sender's name, and with what IP_RECVERR queued.
func (p *performer) recvmsg() (string, unix.Errno) {
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
	for _, m := range messages {
		isError := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR ||
			m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if isError && len(m.Data) >= 16 { // struct sock_extended_err, and the offender's address behind it
			offender := conformance.AddressText(m.Data[16:], interfaceName)
			return conformance.QueuedError(buf[:n], name, int(binary.NativeEndian.Uint32(m.Data)), int(m.Data[5]),
				int(m.Data[6]), offender), 0
		}
	}
	return conformance.ReceivedFrom(buf[:n], name), 0
}
