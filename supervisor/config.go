// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"os"
	"time"

	"dialtone/inet"
	"dialtone/socket"
	"dialtone/trail"
)

// A Program is what to start and where.
type Program struct {
	// Argv is the program and its arguments. A name without a slash is looked
	// up along the PATH in Env, as execvp(3) does.
	Argv []string
	// Env is the environment, "NAME=value" each; nil means the own one.
	Env []string
	// Dir is the working directory; "" means the own one.
	Dir string
	// Stdin, Stdout and Stderr become the program's descriptors 0, 1 and 2
	// themselves, so that a terminal stays a terminal; nil means /dev/null.
	// Other descriptors that survive an exec are passed on, but for sockets
	// that lead to the real network.
	Stdin, Stdout, Stderr *os.File

	// Stack is the internet layer of the virtual host that the program is on.
	Stack *inet.Stack
	// Caller is who the program is on that host. PID and Name are filled in.
	Caller socket.Caller
	// Secure is called at the program's first call of the _secure family on a
	// host without access control, so that it can be put there; nil: ENOSYS.
	Secure func() error
}

// Options are what all programs under one supervisor share.
type Options struct {
	// Warn is told, once each, what the user should know: that some process
	// cannot be hosted, and why. The text is one line. May be nil.
	Warn func(text string)
	// Explain is told of each connect(2) once its outcome is known, a
	// non-blocking one when the attempt has ended; one call at a time, in
	// order, and before the program learns of the outcome. While it blocks,
	// programs that connect wait, and their end. Nil: no trails are kept.
	Explain func(Explanation)
	// Settled promises that nobody changes the network while programs run: no
	// link is cut, given rules or wrapped, no firewall set, no host tapped or
	// crashed. Then the bytes between hosted programs on two hosts take a kernel
	// socket, too, if nothing on the way acts on them ([inet.Stack.ClearTo]) when
	// the connection is made. Without the promise they travel over the virtual
	// network, so that what happens there later happens to them.
	Settled bool
	// NeverDirect has all bytes travel over the virtual network, so that
	// captures and counters on it see them; otherwise the bytes between two
	// hosted programs on one host take a kernel socket.
	NeverDirect bool
}

// An Explanation is what became of one connect(2), and why.
type Explanation struct {
	Program string // its name
	PID     int    // of the calling process
	// Call is the call as strace(1) prints it, with its result.
	Call string
	// Errno is the outcome's symbol, such as ECONNREFUSED; "" for success,
	// EINPROGRESS if the program closed the socket before there was an outcome.
	Errno string
	// Took is how long the attempt took, by the network's clock.
	Took time.Duration
	// Trail holds what was decided on the way.
	Trail *trail.Trail
}
