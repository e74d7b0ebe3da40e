// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"time"

	"dialtone/errno"
)

// PollFile is one entry of a poll(2): a socket, what is asked of it, and what it said.
type PollFile struct {
	Socket  *Socket // nil: ignored, like a negative descriptor
	Events  Events  // that count; poll(2) adds Always to what its caller asks for
	Revents Events
}

// Poll is poll(2) on sockets of one host: it fills in Revents and returns how many have any. A negative timeout is for
// ever, 0 does not wait.
func Poll(c *Call, core *Core, files []PollFile, timeout time.Duration) (int, errno.Errno) {
	core.Lock()
	defer core.Unlock()
	deadline := forever
	if timeout >= 0 {
		deadline = core.deadline(timeout)
	}
	for {
		n := look(files)
		if n > 0 || timeout == 0 {
			return n, errno.OK
		}
		switch c.sleepMany(core, files, deadline) {
		case timedOut:
			return look(files), errno.OK
		case interrupted, restarted:
			return 0, errno.EINTR // poll(2) is never restarted (signal(7))
		case canceled:
			return 0, errno.ECANCELED
		}
	}
}

// look asks each file once.
func look(files []PollFile) int {
	n := 0
	for i := range files {
		f := &files[i]
		f.Revents = 0
		switch {
		case f.Socket == nil:
		case f.Socket.closed:
			f.Revents = Nval
		default:
			f.Revents = f.Socket.Ready() & f.Events
		}
		if f.Revents != 0 {
			n++
		}
	}
	return n
}

// sleepMany sleeps until any of the files has something to say.
func (c *Call) sleepMany(core *Core, files []PollFile, deadline time.Duration) outcome {
	var any Queue
	watches := make([]Watch, len(files))
	for i := range files {
		if s := files[i].Socket; s != nil {
			watches[i].Events = files[i].Events
			watches[i].Func = func(e Events) { any.Wake(e) }
			s.Watch(&watches[i])
		}
	}
	o := c.sleep(core, &any, ^Events(0), deadline)
	for i := range watches {
		watches[i].Remove()
	}
	return o
}
