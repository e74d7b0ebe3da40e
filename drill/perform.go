// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"dialtone/errno"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// pending is a call under way.
type pending struct {
	event  *event
	done   bool
	at     time.Duration // when it returned
	result int64
	err    error
	check  func() error // of what it returned beside its result; nil: nothing
}

// makeCall makes a call in a goroutine of its own. One that is to block is left there.
func (w *world) makeCall(e *event) error {
	if err := w.await(); err != nil {
		return err
	}
	p := &pending{event: e}
	do, err := w.prepare(e.call, p)
	if err != nil {
		return err
	}
	w.pending = p
	w.clock.Go(func() {
		p.result, p.err = do()
		p.at, p.done = w.now(), true
	})
	w.clock.Settle()
	if !e.blocks {
		return w.await()
	}
	return nil
}

// await waits for the call under way, if there is one, and looks at its result.
func (w *world) await() error {
	p := w.pending
	if p == nil {
		return nil
	}
	w.pending = nil
	e, c := p.event, p.event.call
	if !w.until(func() bool { return p.done }, e.to+patience) {
		return fmt.Errorf("%s: it does not return", e.text)
	}
	if err := w.timely(e, p.at, e.to, e.to); err != nil {
		return fmt.Errorf("%s: returned %w", e.text, err)
	}
	name := ""
	if p.err != nil {
		var no syscall.Errno
		if !errors.As(p.err, &no) {
			return p.err
		}
		p.result, name = -1, errno.Errno(no).Name()
	}
	fd := p.result >= 0 && c.result >= 0 && (c.name == "socket" || c.name == "accept" || c.name == "epoll_create")
	if !c.any && !fd && p.result != c.result || c.errno != "" && c.errno != name {
		return fmt.Errorf("%s returned %d %s", c.name, p.result, name)
	}
	if fd {
		w.fds[c.result] = int(p.result)
		if c.name != "epoll_create" {
			w.subject = c.result
		}
		if c.name == "socket" && w.flow != nil && w.flow.fd == c.result {
			w.flow = nil // the number's old connection is over
		}
	}
	if p.check != nil && p.err == nil {
		return p.check()
	}
	return nil
}

// connecting makes a socket the one that the script's packets are about from now on.
func (w *world) connecting(fd int64) {
	w.listens, w.subject = false, fd
	if w.flow != nil && w.flow.fd != fd {
		w.flow = nil
	}
}

// descriptor returns the host's descriptor of the script's; -1 is none.
func (w *world) descriptor(n int64) int {
	if fd, ok := w.fds[n]; ok {
		return fd
	}
	return -1
}

// room returns memory of a length that is an argument.
func (c *call) room(at int) ([]byte, error) {
	n := c.num(at)
	switch {
	case n < 0 || n > most:
		return nil, notRun("%d bytes", n)
	case c.arg(at-1).text == "NULL" && n > 0:
		return nil, notRun("null buffers")
	}
	return make([]byte, n), nil
}

// destination returns a call's address argument, which is the far end's unless it is AF_UNSPEC.
func (c *call) destination(at int) sockaddr.Raw {
	if c.arg(at).text == "AF_UNSPEC" {
		return sockaddr.Bytes(make([]byte, 16))
	}
	return sockaddr.Of(remote).Raw()
}

// prepare returns what makes a call.
func (w *world) prepare(c *call, p *pending) (do func() (int64, error), err error) {
	fd, pr := w.descriptor(c.arg(0).n), w.process
	count := func(n int, err error) (int64, error) { return int64(n), err }
	none := func(err error) (int64, error) { return 0, err }
	switch c.name {
	case "socket":
		return func() (int64, error) { return count(pr.Socket(sockaddr.Inet, c.num(1), c.num(2))) }, nil
	case "bind":
		return func() (int64, error) { return none(pr.Bind(fd, sockaddr.Of(local).Raw())) }, nil
	case "listen":
		w.listens = true
		return func() (int64, error) { return none(pr.Listen(fd, c.num(1))) }, nil
	case "connect":
		w.connecting(c.arg(0).n)
		return func() (int64, error) { return none(pr.Connect(fd, c.destination(1))) }, nil
	case "accept":
		return func() (int64, error) { n, _, err := pr.Accept(fd, 0); return int64(n), err }, nil
	case "close":
		return func() (int64, error) { return none(pr.Close(fd)) }, nil
	case "shutdown":
		return func() (int64, error) { return none(pr.Shutdown(fd, socket.How(c.num(1)))) }, nil
	case "write", "send", "read", "recv", "sendto", "recvfrom":
		b, err := c.room(2)
		if err != nil {
			return nil, err
		}
		return w.transfer(c, fd, b), nil
	case "sendmsg", "recvmsg":
		return w.prepareMessage(c, fd)
	case "setsockopt", "getsockopt":
		return w.prepareOption(c, fd, p)
	case "fcntl":
		if c.num(1) == int(constants["F_GETFL"]) {
			return func() (int64, error) { return c.result, nil }, nil
		}
		nonblock := c.arg(2).n&constants["O_NONBLOCK"] != 0
		return func() (int64, error) { return none(pr.SetNonblock(fd, nonblock)) }, nil
	case "poll":
		return w.preparePoll(c, p), nil
	case "epoll_create":
		return func() (int64, error) { return count(pr.EpollCreate()) }, nil
	case "epoll_ctl":
		events := socket.EpollEvents(c.arg(3).member("events").n)
		target := w.descriptor(c.arg(2).n)
		return func() (int64, error) { return none(pr.EpollCtl(fd, c.num(1), target, events, 0)) }, nil
	case "epoll_wait":
		return w.prepareEpoll(c, fd, p), nil
	}
	return nil, notRun("the call %s", c.name)
}
