// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the corpus of connect(2) cases, the language they are written in, and the runner that
// puts a case to an [Arm]: the running kernel, or Dialtone's own sockets.
//
// A case is a short script: what the network looks like, then calls and what each of them answers. The language is
// described in docs/conformance-format.md; the corpus is in cases/, see [Corpus]. [Parse] turns text into [Case]
// values, [Run] puts one case to one arm and gives a [Report], which prints as a transcript.
//
//	*.txt --Parse--> Case --Run--> Arm.Open, then World.Do / Call / Start, one step after the other --> Report
//
// An arm never sees what is expected: it does a call and says what came back. Matching is done here, in one place,
// so that all arms are judged alike. What an arm can't do it says with [NotRunError]; such a case is reported as not run,
// never as passed.
package conformance
