// SPDX-License-Identifier: Apache-2.0

// Package defaultpolicy is the policy of a host for which no other is given. Everything is unconfined unless it is
// labelled, so that no call fails which would not fail without a policy; default.cil says what labels there are.
package defaultpolicy

import (
	_ "embed"
	"sync"

	"dialtone/selinux"
)

// ProcessContext labels a process that has no other label: it may do everything.
const ProcessContext = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c15"

//go:embed default.33
var binary []byte

// Policy gives the default policy, which all hosts share.
var Policy = sync.OnceValue(func() *selinux.Policy {
	p, err := selinux.Parse(binary)
	if err != nil {
		panic(err) // the binary is part of the program, and a test reads it
	}
	return p
})
