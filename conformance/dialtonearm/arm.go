// SPDX-License-Identifier: Apache-2.0

package dialtonearm

import (
	"time"

	"dialtone/conformance"
	"dialtone/personality"
)

// Arm is Dialtone itself. Its zero value is ready.
type Arm struct{}

// Name is "dialtone".
func (Arm) Name() string { return "dialtone" }

// Slack is none: time is virtual.
func (Arm) Slack(time.Duration) (early, late time.Duration) { return 0, 0 }

// Open builds the case's network.
func (Arm) Open(c *conformance.Case, name string) (conformance.World, error) {
	p, ok := personality.Named(name)
	if !ok {
		return nil, conformance.NotRun("there is no personality %s", name)
	}
	return newWorld(c, p)
}
