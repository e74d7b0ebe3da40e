// SPDX-License-Identifier: Apache-2.0

package supervisor

import "os"

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
}

// Options are what all programs under one supervisor share.
type Options struct {
	// Warn is told, once each, what the user should know: that some process
	// cannot be hosted, and why. The text is one line. May be nil.
	Warn func(text string)
}
