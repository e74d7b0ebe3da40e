// SPDX-License-Identifier: Apache-2.0

package personality

// State is where a connection-oriented socket stands, as connect(2) sees it.
type State uint8

// The states.
const (
	// Fresh: never connected, or dissolved, or given back after a failure. May be bound. bind, connect and listen may
	// be called.
	Fresh State = iota
	// Listening: listen was called. accept may be called; AF_UNSPEC, shutdown and close leave it.
	Listening
	// Connecting: an attempt is under way that connect started. Wakes writers when it ends. The endpoint moves it on, to
	// Unreported or Failed; AF_UNSPEC takes it back to Fresh.
	Connecting
	// Deferred: connect returned 0, but has sent nothing: the first send begins the attempt, and moves the socket on to
	// Connecting (TCP_FASTOPEN_CONNECT, tcp(7)). AF_UNSPEC takes it back to Fresh.
	Deferred
	// Unreported: the attempt succeeded, but no connect call has said so yet. Data may already flow.
	Unreported
	// Connected: a connect call has returned 0, or the socket came from accept or socketpair. It stays so when the peer
	// closes; when the connection ends it is Dead where the system has no use for such sockets (FailedIsDead).
	Connected
	// Failed: the attempt failed without a caller waiting; the reason is pending in SO_ERROR, or has been read from it.
	// The next connect moves it on.
	Failed
	// Dead: the attempt failed, and either this system has no use for such a socket any more, or shutdown was called on
	// it. Where there is AF_UNSPEC it takes the socket back to Fresh.
	Dead

	States // how many there are
)

func (s State) String() string {
	return [...]string{"fresh", "listening", "connecting", "deferred", "established (not reported)", "connected", "failed", "dead"}[s]
}

// Action is what connect does in a state.
type Action uint8

// The actions.
const (
	Refuse  Action = iota // return the rule's errno, change nothing
	Attempt               // interpret the address and try
	Wait                  // wait for the attempt under way, then report its end
	Succeed               // return 0: this call reports the success; Connected from then on
	// Report returns the pending error, or the rule's errno if it has been read already; Fresh from then on.
	Report
	// ReportDead returns the pending error, or the rule's errno if it has been read already, and leaves the state.
	ReportDead
	// Forget returns the rule's errno, and forgets the pending error; it leaves the state.
	Forget
	// Examine forgets the pending error, and has the endpoint look at the address, whose faults come first; then it is
	// refused (TCP.WhenDead, TCP.InTimeWait). It leaves the state.
	Examine
)

// Rule is one cell of the state table.
type Rule struct {
	Action Action
	Errno  Errno
}

// ConnectTable says what connect(2) does in each state, on a socket that blocks and on one that does not.
type ConnectTable [States]struct{ Blocking, NonBlocking Rule }
