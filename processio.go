// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// Send is send(2).
func (p *Process) Send(fd int, data []byte, flags int) (int, error) {
	return p.Sendmsg(fd, &socket.Message{Data: data, Flags: flags})
}

// Sendto is sendto(2).
func (p *Process) Sendto(fd int, data []byte, flags int, to sockaddr.Raw) (int, error) {
	addr, e := socket.Destination(p.host.core.Personality, to)
	if e != errno.OK {
		return 0, e.Err()
	}
	return p.Sendmsg(fd, &socket.Message{Data: data, Flags: flags, To: addr})
}

// Sendmsg is sendmsg(2).
func (p *Process) Sendmsg(fd int, m *socket.Message) (int, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return 0, e.Err()
	}
	n, e := s.Send(p.call(), m)
	return n, e.Err()
}

// Recv is recv(2): it returns how many bytes of data were filled; on a stream 0 is the end.
func (p *Process) Recv(fd int, data []byte, flags int) (int, error) {
	return p.Recvmsg(fd, &socket.Message{Data: data, Flags: flags})
}

// Recvfrom is recvfrom(2).
func (p *Process) Recvfrom(fd int, data []byte, flags int) (int, sockaddr.Addr, error) {
	m := socket.Message{Data: data, Flags: flags}
	n, err := p.Recvmsg(fd, &m)
	return n, m.From, err
}

// Recvmsg is recvmsg(2).
func (p *Process) Recvmsg(fd int, m *socket.Message) (int, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return 0, e.Err()
	}
	n, e := s.Recv(p.call(), m)
	return n, e.Err()
}

// PollFD is struct pollfd: a descriptor, what is asked of it, and what it said.
type PollFD struct {
	FD      int // negative: ignored
	Events  socket.Events
	Revents socket.Events
}

// Poll is poll(2): it fills in Revents and returns how many are not 0. A negative timeout is for ever.
func (p *Process) Poll(fds []PollFD, timeout time.Duration) (int, error) {
	files := make([]socket.PollFile, len(fds))
	bad := 0
	for i := range fds {
		fds[i].Revents = 0
		if fds[i].FD < 0 {
			continue
		}
		s, e := p.socket(fds[i].FD)
		if e != errno.OK {
			fds[i].Revents = socket.Nval
			bad++
			continue
		}
		files[i] = socket.PollFile{Socket: s, Events: fds[i].Events | socket.Always}
	}
	if bad > 0 {
		timeout = 0 // there is something to say already
	}
	n, e := socket.Poll(p.call(), p.host.core, files, timeout)
	if e != errno.OK {
		return 0, e.Err()
	}
	for i := range files {
		if files[i].Socket != nil {
			fds[i].Revents = files[i].Revents
		}
	}
	return n + bad, nil
}

// Dup is dup(2).
func (p *Process) Dup(fd int) (int, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return -1, e.Err()
	}
	s.Hold()
	return p.install(s, 0)
}

// Close is close(2).
func (p *Process) Close(fd int) error {
	switch f := p.files.remove(fd).(type) {
	case nil:
		return errno.EBADF.Err()
	case *socket.Socket:
		f.Close(p.call())
	case *socket.Epoll:
		f.Close()
	}
	return nil
}

// Exit closes all descriptors, as the end of a process does.
func (p *Process) Exit() {
	for fd := range p.files.limit {
		if p.files.get(fd) != nil {
			p.Close(fd)
		}
	}
}
