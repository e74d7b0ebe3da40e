// SPDX-License-Identifier: Apache-2.0

//go:build race

package dialtone_test

// A recorded timeline takes ten times as long with the race detector.
func init() { *timelineRuns = 10 }
