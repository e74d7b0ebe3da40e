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

// personalities are those there are, by the names that cases use.
var personalities = map[string]*personality.Personality{
	personality.Linux.Name: personality.Linux,
}

// Open builds the case's network.
func (Arm) Open(c *conformance.Case, name string) (conformance.World, error) {
	p, ok := personalities[name]
	if !ok {
		return nil, conformance.NotRun("there is no personality %s", name)
	}
	return newWorld(c, p)
}
