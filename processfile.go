// SPDX-License-Identifier: Apache-2.0

package dialtone

import (
	"time"

	"dialtone/errno"
	"dialtone/socket"
	"dialtone/unixdomain"
)

// Install gives an open file a descriptor. Files that are no sockets are there to be refused (ENOTSOCK) where a socket is
// expected.
func (p *Process) Install(f socket.File) (int, error) {
	fd, e := p.files.add(f)
	return fd, e.Err()
}

// Getfd is pidfd_getfd(2): a copy of another process's descriptor, as fork(2) or SCM_RIGHTS would give.
func (p *Process) Getfd(from *Process, fd int) (int, error) {
	s, e := from.socket(fd)
	if e != errno.OK {
		return -1, e.Err()
	}
	s.Hold()
	return p.install(s, 0)
}

// O_PATH is open(2)'s flag for a descriptor that is a place in the file tree and nothing more, in Linux's number.
const O_PATH = 0x200000

// treeFile is a file of the host's tree, opened.
type treeFile struct {
	*unixdomain.File
	path bool // O_PATH
}

// Open is open(2) of a file in the host's tree, in which /proc/self/fd has the process's own descriptors (proc(5)): it
// must exist, and be no socket unless flags have O_PATH (ENXIO).
func (p *Process) Open(name string, flags int) (int, error) {
	f, e := p.host.tree.Open(p.caller, name)
	if e != errno.OK {
		return -1, e.Err()
	}
	path := flags&O_PATH != 0
	if f.IsSocket() && !path {
		return -1, errno.ENXIO.Err()
	}
	return p.Install(treeFile{f, path})
}

// EpollCreate is epoll_create(2).
func (p *Process) EpollCreate() (int, error) { return p.Install(socket.NewEpoll(p.host.core)) }

// EpollCtl is epoll_ctl(2): op is one of socket.EpollAdd, EpollMod and EpollDel; data comes with the events of fd.
func (p *Process) EpollCtl(epfd, op, fd int, events socket.EpollEvents, data uint64) error {
	f, target := p.files.get(epfd), p.files.get(fd)
	if f == nil || target == nil {
		return errno.EBADF.Err()
	}
	s := target.Socket()
	e, ok := f.(*socket.Epoll)
	switch {
	case !ok:
		return errno.EINVAL.Err()
	case s == nil:
		return errno.EPERM.Err() // epoll_ctl(2): the file does not support epoll
	}
	return e.Control(op, fd, s, socket.EpollEvent{Events: events, Data: data}).Err()
}

// EpollWait is epoll_wait(2): at most the given number of events. A negative timeout is for ever.
func (p *Process) EpollWait(epfd, most int, timeout time.Duration) ([]socket.EpollEvent, error) {
	f := p.files.get(epfd)
	if f == nil {
		return nil, errno.EBADF.Err()
	}
	e, ok := f.(*socket.Epoll)
	if !ok {
		return nil, errno.EINVAL.Err()
	}
	events, no := e.Wait(p.call(), most, timeout)
	return events, no.Err()
}

// What select(2) counts as readable, writable and exceptional (select(2), "Correspondence between select() and poll()
// notifications"; POLLRDNORM and its kin come with those here).
const (
	selectRead   = socket.In | socket.Hup | socket.Err
	selectWrite  = socket.Out | socket.Err
	selectExcept = socket.Pri
)

// Select is select(2): which of the descriptors can be read, written, or have an exceptional condition. A negative
// timeout is for ever.
func (p *Process) Select(read, write, except []int, timeout time.Duration) (r, w, x []int, err error) {
	var files []socket.PollFile
	for k, set := range [...][]int{read, write, except} {
		for _, fd := range set {
			s, e := p.socket(fd)
			if e != errno.OK {
				return nil, nil, nil, e.Err()
			}
			files = append(files, socket.PollFile{Socket: s, Events: [...]socket.Events{selectRead, selectWrite, selectExcept}[k]})
		}
	}
	if _, e := socket.Poll(p.call(), p.host.core, files, timeout); e != errno.OK {
		return nil, nil, nil, e.Err()
	}
	pick := func(set []int) (ready []int) {
		for i, fd := range set {
			if files[i].Revents != 0 {
				ready = append(ready, fd)
			}
		}
		files = files[len(set):]
		return ready
	}
	return pick(read), pick(write), pick(except), nil
}
