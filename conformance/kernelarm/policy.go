// SPDX-License-Identifier: Apache-2.0

//go:build linux

package kernelarm

import "dialtone/conformance"

// denyConnect is not to be had yet.
func (w *world) denyConnect(a conformance.DenyConnect) error {
	return conformance.NotRun("no control group hook in this arm")
}
