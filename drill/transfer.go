// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"encoding/binary"
	"fmt"
	"time"

	"dialtone"
	"dialtone/sockaddr"
	"dialtone/socket"
)

// transfer returns what sends or receives b.
func (w *world) transfer(c *call, fd int, b []byte) func() (int64, error) {
	flags := c.num(3)
	opens := c.name == "sendto" && c.arg(3).n&constants["MSG_FASTOPEN"] != 0
	if opens {
		w.connecting(c.arg(0).n)
	}
	return func() (n int64, err error) {
		var done int
		switch c.name {
		case "sendto":
			done, err = w.process.Sendto(fd, b, flags, c.destination(4))
		case "write", "send":
			done, err = w.process.Send(fd, b, flags)
		default:
			done, err = w.process.Recv(fd, b, flags)
		}
		return int64(done), err
	}
}

// prepareMessage prepares sendmsg and recvmsg, without control messages.
func (w *world) prepareMessage(c *call, fd int) (func() (int64, error), error) {
	if len(c.arg(1).member("msg_control").fields) > 0 {
		return nil, notRun("control messages")
	}
	n := int64(0)
	for _, f := range c.arg(1).member("msg_iov").fields {
		if len(f.fields) == 2 {
			n += f.fields[1].n
		}
	}
	if n < 0 || n > most {
		return nil, notRun("%d bytes", n)
	}
	m := &socket.Message{Data: make([]byte, n), Flags: c.num(2)}
	pr := w.process
	if c.name == "recvmsg" {
		return func() (int64, error) { n, err := pr.Recvmsg(fd, m); return int64(n), err }, nil
	}
	if c.arg(2).n&constants["MSG_FASTOPEN"] != 0 {
		w.connecting(c.arg(0).n)
		m.To = sockaddr.Of(remote).Append(nil)
	}
	return func() (int64, error) { n, err := pr.Sendmsg(fd, m); return int64(n), err }, nil
}

// prepareOption prepares setsockopt and getsockopt: the value is a number, or several in brackets or braces, or text.
func (w *world) prepareOption(c *call, fd int, p *pending) (func() (int64, error), error) {
	level, name, v := c.num(1), c.num(2), c.arg(3)
	var b []byte
	switch v.kind {
	case '[', '{':
		for _, f := range v.fields {
			b = binary.LittleEndian.AppendUint32(b, uint32(f.n))
		}
	case '"':
		b = []byte(v.text)
	default:
		return nil, notRun("an option's value of this form")
	}
	pr := w.process
	if c.name == "setsockopt" {
		b = b[:min(len(b), max(c.num(4), 0))]
		return func() (int64, error) { return 0, pr.Setsockopt(fd, level, name, b) }, nil
	}
	var got []byte
	p.check = func() error {
		if got = got[:min(len(got), len(b))]; string(got) != string(b) {
			return fmt.Errorf("the option is % x", got)
		}
		return nil
	}
	return func() (n int64, err error) { got, err = pr.Getsockopt(fd, level, name); return 0, err }, nil
}

func (w *world) preparePoll(c *call, p *pending) func() (int64, error) {
	var fds []dialtone.PollFD
	var want []socket.Events
	for _, f := range c.arg(0).fields {
		fds = append(fds, dialtone.PollFD{FD: w.descriptor(f.member("fd").n), Events: socket.Events(f.member("events").n)})
		want = append(want, socket.Events(f.member("revents").n))
	}
	p.check = func() error {
		for i := range fds {
			if fds[i].Revents != want[i] {
				return fmt.Errorf("revents are %v", fds[i].Revents)
			}
		}
		return nil
	}
	return func() (int64, error) {
		n, err := w.process.Poll(fds, time.Duration(c.num(2))*time.Millisecond)
		return int64(n), err
	}
}

// prepareEpoll prepares epoll_wait for one event.
func (w *world) prepareEpoll(c *call, fd int, p *pending) func() (int64, error) {
	var got []socket.EpollEvent
	p.check = func() error {
		if want := socket.EpollEvents(c.arg(1).member("events").n); len(got) == 1 && got[0].Events != want {
			return fmt.Errorf("the events are %#x", got[0].Events)
		}
		return nil
	}
	return func() (n int64, err error) {
		got, err = w.process.EpollWait(fd, c.num(2), time.Duration(c.num(3))*time.Millisecond)
		return int64(len(got)), err
	}
}
