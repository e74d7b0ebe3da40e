// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"sync"

	"dialtone/errno"
	"dialtone/landlock"
	"dialtone/sockaddr"
	"dialtone/socket"
	"dialtone/trail"
)

// Process makes socket calls on a host: it has descriptors and credentials. Its methods bear the names of the system
// calls and give their results: an error is a [syscall.Errno], nothing else. They may be called from any goroutine.
type Process struct {
	host   *Host
	caller *socket.Caller
	files  *descriptors // shared by the threads of a process
}

// Flags that may be added to a socket's type, in Linux's numbers (socket(2)).
const (
	SOCK_NONBLOCK = 0x800
	SOCK_CLOEXEC  = 0x80000
)

// NewProcess returns a process on the host that runs as root and has no open descriptor.
func (h *Host) NewProcess() *Process {
	return h.NewProcessAs(socket.Caller{Caps: socket.AllCaps})
}

// NewProcessAs returns a process with the given credentials. Its number is the host's next if c.PID is 0.
func (h *Host) NewProcessAs(c socket.Caller) *Process {
	if c.PID == 0 {
		c.PID = h.newPID()
	}
	files := &descriptors{limit: 1024}
	c.Files = files
	return &Process{host: h, caller: &c, files: files}
}

// Host returns the host the process runs on.
func (p *Process) Host() *Host { return p.host }

// Thread returns another thread of p: it shares p's descriptors, and is interrupted for itself.
func (p *Process) Thread() *Process {
	return &Process{host: p.host, caller: p.caller.Fork(), files: p.files}
}

// Caller returns the credentials of the process's calls. They may be changed between calls.
func (p *Process) Caller() *socket.Caller { return p.caller }

// Restrict makes a ruleset of landlock(7) hold for the process's later calls, for good, beside those that hold already,
// and for threads made later. It must not be in a call meanwhile. The errors are those of [landlock.Restrict].
func (p *Process) Restrict(r landlock.Ruleset) error { return landlock.Restrict(p.caller, r).Err() }

// Interrupt is a signal that the process catches: calls that wait return EINTR, or go on where restart (SA_RESTART) and
// the call's own rules say so (signal(7)).
func (p *Process) Interrupt(restart bool) { p.caller.Interrupt(p.host.core, restart) }

func (p *Process) call() *socket.Call { return &socket.Call{Caller: p.caller} }

// Socket is socket(2).
func (p *Process) Socket(family sockaddr.Family, typ, protocol int) (fd int, err error) {
	return p.newSocket(family, typ, protocol, 0)
}

// newSocket makes a socket with a SID; 0: that which access control gives it.
func (p *Process) newSocket(family sockaddr.Family, typ, protocol int, sid uint32) (fd int, err error) {
	p.host.network.clock.Check()
	t, e := socketType(typ)
	if e != errno.OK {
		return -1, e.Err()
	}
	c := p.call()
	c.SID = sid
	s, e := p.host.core.NewSocket(c, family, t, protocol)
	if e != errno.OK {
		return -1, e.Err()
	}
	return p.install(s, typ)
}

// Socketpair is socketpair(2).
func (p *Process) Socketpair(family sockaddr.Family, typ, protocol int) (fds [2]int, err error) {
	p.host.network.clock.Check()
	t, e := socketType(typ)
	if e != errno.OK {
		return fds, e.Err()
	}
	a, b, e := p.host.core.NewPair(p.call(), family, t, protocol)
	if e != errno.OK {
		return fds, e.Err()
	}
	if fds[0], err = p.install(a, typ); err != nil {
		b.Close(p.call())
		return fds, err
	}
	if fds[1], err = p.install(b, typ); err != nil {
		p.Close(fds[0])
	}
	return fds, err
}

// socketType takes the flags off a type.
func socketType(typ int) (socket.Type, errno.Errno) {
	t := typ &^ (SOCK_NONBLOCK | SOCK_CLOEXEC)
	if t < 0 || t > 10 {
		return 0, errno.EINVAL
	}
	return socket.Type(t), errno.OK
}

// install gives s a descriptor, or closes it if there is none left.
func (p *Process) install(s *socket.Socket, flags int) (int, error) {
	if flags&SOCK_NONBLOCK != 0 {
		s.SetNonBlocking(true)
	}
	fd, e := p.files.add(s)
	if e != errno.OK {
		s.Close(p.call())
		return -1, e.Err()
	}
	return fd, nil
}

// Bind is bind(2).
func (p *Process) Bind(fd int, addr sockaddr.Raw) error {
	return socket.Bind(p.call(), p.host.core.Personality, p.file(fd), addr).Err()
}

// Connect is connect(2).
func (p *Process) Connect(fd int, addr sockaddr.Raw) error { return p.ConnectExplained(fd, addr, nil) }

// ConnectExplained is connect(2), and t takes what was decided on the way. If it returns EINPROGRESS t goes on taking
// lines until the attempt has ended.
func (p *Process) ConnectExplained(fd int, addr sockaddr.Raw, t *trail.Trail) error {
	c := p.call()
	c.Trail = t
	return socket.Connect(c, p.host.core.Personality, p.file(fd), addr).Err()
}

// Listen is listen(2).
func (p *Process) Listen(fd, backlog int) error {
	s, e := p.socket(fd)
	if e == errno.OK {
		e = s.Listen(p.call(), backlog)
	}
	return e.Err()
}

// Accept is accept4(2): it returns the new descriptor and the peer's address. flags may be SOCK_NONBLOCK.
func (p *Process) Accept(fd, flags int) (int, sockaddr.Addr, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return -1, sockaddr.Addr{}, e.Err()
	}
	fresh, e := s.Accept(p.call())
	if e != errno.OK {
		return -1, sockaddr.Addr{}, e.Err()
	}
	peer := fresh.From()
	nfd, err := p.install(fresh, flags)
	return nfd, peer, err
}

// Getsockname is getsockname(2).
func (p *Process) Getsockname(fd int) (sockaddr.Addr, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return sockaddr.Addr{}, e.Err()
	}
	a, e := s.Name(p.call())
	return a, e.Err()
}

// Getpeername is getpeername(2).
func (p *Process) Getpeername(fd int) (sockaddr.Addr, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return sockaddr.Addr{}, e.Err()
	}
	a, e := s.Peer(p.call())
	return a, e.Err()
}

// Getsockopt is getsockopt(2); the value is as a C program on x86-64 sees it.
func (p *Process) Getsockopt(fd, level, name int) ([]byte, error) {
	s, e := p.socket(fd)
	if e != errno.OK {
		return nil, e.Err()
	}
	v, e := s.Option(p.call(), level, name)
	return v, e.Err()
}

// GetsockoptInt is getsockopt(2) for options whose value is an int.
func (p *Process) GetsockoptInt(fd, level, name int) (int, error) {
	v, err := p.Getsockopt(fd, level, name)
	if err != nil {
		return 0, err
	}
	if len(v) < 4 {
		return 0, errno.EINVAL.Err()
	}
	return socket.IntValue(v), nil
}

// Setsockopt is setsockopt(2).
func (p *Process) Setsockopt(fd, level, name int, value []byte) error {
	s, e := p.socket(fd)
	if e == errno.OK {
		e = s.SetOption(p.call(), level, name, value)
	}
	return e.Err()
}

// SetsockoptInt is setsockopt(2) for options whose value is an int.
func (p *Process) SetsockoptInt(fd, level, name, value int) error {
	return p.Setsockopt(fd, level, name, socket.Int(value))
}

// SetNonblock is fcntl(2)'s O_NONBLOCK.
func (p *Process) SetNonblock(fd int, on bool) error {
	s, e := p.socket(fd)
	if e == errno.OK {
		s.SetNonBlocking(on)
	}
	return e.Err()
}

// Shutdown is shutdown(2).
func (p *Process) Shutdown(fd int, how socket.How) error {
	s, e := p.socket(fd)
	if e == errno.OK {
		e = s.Shutdown(p.call(), how)
	}
	return e.Err()
}

// file returns the open file that a descriptor leads to, nil if there is none that calls can use (O_PATH, open(2)).
func (p *Process) file(fd int) socket.File {
	f := p.files.get(fd)
	if t, ok := f.(treeFile); ok && t.path {
		return nil
	}
	return f
}

// socket returns what a descriptor leads to: EBADF, ENOTSOCK.
func (p *Process) socket(fd int) (*socket.Socket, errno.Errno) {
	f := p.file(fd)
	if f == nil {
		return nil, errno.EBADF
	}
	if s := f.Socket(); s != nil {
		return s, errno.OK
	}
	return nil, errno.ENOTSOCK
}

// descriptors is the table of open descriptors.
type descriptors struct {
	mu    sync.Mutex
	files []socket.File // by number
	limit int           // RLIMIT_NOFILE
}

// add gives f the lowest free number.
func (d *descriptors) add(f socket.File) (int, errno.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for fd, open := range d.files {
		if open == nil {
			d.files[fd] = f
			return fd, errno.OK
		}
	}
	if len(d.files) >= d.limit {
		return -1, errno.EMFILE
	}
	d.files = append(d.files, f)
	return len(d.files) - 1, errno.OK
}

// File implements [socket.Files].
func (d *descriptors) File(fd int) socket.File { return d.get(fd) }

func (d *descriptors) get(fd int) socket.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fd < 0 || fd >= len(d.files) {
		return nil
	}
	return d.files[fd]
}

// remove frees a number and returns what it led to.
func (d *descriptors) remove(fd int) socket.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fd < 0 || fd >= len(d.files) {
		return nil
	}
	f := d.files[fd]
	d.files[fd] = nil
	return f
}
