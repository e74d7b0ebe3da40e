// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package supervisor

import (
	"dialtone/errno"

	"golang.org/x/sys/unix"
)

// A signal can take the caller away between the deed and its answer; with
// SA_RESTART it then calls again. What has been done must not be done twice:
// the answer that nobody took waits for the thread to ask again.

// reply is an answer that was not taken, and the question.
type reply struct {
	id   uint64 // of the call that was not answered
	nr   int
	args [6]uint64
	val  int64
	e    unix.Errno
}

// maxReplies bounds the answers that wait: most are never asked for, because
// the thread was killed.
const maxReplies = 256

// conclude answers a call that must not be done twice. The supervisor is
// locked.
func (c *call) conclude(val int64, e unix.Errno) {
	if c.gone {
		return // nothing has been done: its arguments could not be read
	}
	var taken bool
	if e != 0 {
		taken = c.fail(e)
	} else {
		taken = c.succeed(val)
	}
	if !taken {
		c.remember(val, e)
	}
}

// concludeTold is conclude for a connect, once x is told. The supervisor is
// locked.
func (c *call) concludeTold(x *explaining, returned, outcome errno.Errno) {
	if x == nil || c.gone {
		c.conclude(0, unix.Errno(returned))
		x.tell(returned, outcome, nil)
		return
	}
	// A signal may make the thread ask again before that.
	c.remember(0, unix.Errno(returned))
	t, id, tid := c.target, c.id, c.tid // c serves the next call
	x.tell(returned, outcome, func() {
		taken := t.proc.listener.answer(id, 0, unix.Errno(returned)) == 0
		if taken && t.replays[tid].id == id {
			delete(t.replays, tid)
		}
	})
}

func (c *call) remember(val int64, e unix.Errno) {
	r := c.target.replays
	if len(r) >= maxReplies {
		clear(r)
	}
	r[c.tid] = reply{id: c.id, nr: c.nr, args: c.args, val: val, e: e}
}

// replay answers the call if it is the one whose answer was not taken. The
// supervisor is locked.
func (c *call) replay() bool {
	r, ok := c.target.replays[c.tid]
	if !ok {
		return false
	}
	delete(c.target.replays, c.tid)
	if r.nr != c.nr || r.args != c.args {
		return false
	}
	c.conclude(r.val, r.e)
	return true
}
