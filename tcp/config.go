// SPDX-License-Identifier: Apache-2.0

package tcp

import "time"

// Config holds the facts that don't change while a connection lives. All connections of a host share one by pointer;
// whoever wants to change a fact makes a new Config, and connections opened later get it.
type Config struct {
	// RcvBuf and SndBuf are the sizes of a new connection's buffers, in bytes.
	RcvBuf, SndBuf uint32
	// SndBufMost is how far the send buffer grows with the congestion window (Linux: the third of tcp_wmem). 0: it does
	// not.
	SndBufMost uint32
	// RcvBufMost is how far the receive buffer grows with the reader's pace, and what its window is scaled for (Linux: the
	// third of tcp_rmem). 0: it does not grow.
	RcvBufMost uint32
	// MaxSegment is the largest payload of an outgoing segment, in bytes. 0: the MSS. With more, one segment may stand
	// for many, as with segmentation offload; congestion control counts in MSS all the same.
	MaxSegment uint32
	// InitialWindow is the first congestion window, in segments (RFC 6928: 10).
	InitialWindow uint8

	// The options that a SYN offers, and that are accepted from a peer's.
	WindowScale bool // RFC 7323, 2
	Timestamps  bool // RFC 7323, 3
	SACK        bool // RFC 2018, 2

	// Retransmission (RFC 6298): the timeout before the first measurement, and its bounds afterwards.
	InitialRTO, MinRTO, MaxRTO time.Duration
	// MinVariance is the least that a timeout has beyond the round trip (Linux: tcp_rto_min_us, which bounds the variance's
	// part and not the whole; tcp_rtt_estimator).
	MinVariance time.Duration
	// SynRetries is how often a SYN is retransmitted (Linux: tcp_syn_retries), not counting SynLinearTimeouts.
	SynRetries uint8
	// SynLinearTimeouts is how many timeouts of a SYN don't double the next one (Linux: tcp_syn_linear_timeouts).
	SynLinearTimeouts uint8
	// SynBackoff are the waits after the first SYN, the second, and so on, for systems with a table of their own; the
	// last one is repeated. Empty: InitialRTO, kept for SynLinearTimeouts, then doubled up to MaxRTO.
	SynBackoff []time.Duration
	// SynAckRetries is how often a SYN-ACK is retransmitted (Linux: tcp_synack_retries).
	SynAckRetries uint8
	// KeepInit bounds the whole handshake (BSD: net.inet.tcp.keepinit). 0: the retries alone do.
	KeepInit time.Duration
	// Retries2 bounds the retransmissions of an established connection: they end after the time that this many
	// doublings of MinRTO take (Linux: tcp_retries2, ip-sysctl.rst), and unanswered window probes after this many.
	Retries2 uint8
	// OrphanRetries is what holds instead of Retries2 after Close (Linux: tcp_orphan_retries, whose 0 means 8).
	OrphanRetries uint8

	// DelayedAck is how long an acknowledgement waits for company. 0: it never does.
	DelayedAck time.Duration
	// QuickAcks is how many of the first acknowledgements don't wait, at most 31, as long as no bytes were sent in answer
	// (Linux: TCP_MAX_QUICKACKS, inet_csk_in_pingpong_mode).
	QuickAcks uint8
	// TimeWait is the length of TIME-WAIT (Linux: 60 s).
	TimeWait time.Duration
	// FinWait2 is how long a closed connection waits in FIN-WAIT-2 for the peer's FIN (Linux: tcp_fin_timeout).
	FinWait2 time.Duration

	// ResetOnUnread: Close with unread data sends a reset instead of a FIN (RFC 2525, 2.17; Linux does, BSD doesn't).
	ResetOnUnread bool
	// ChallengeAcks is how many challenge ACKs, and answers to segments outside of the window, a connection sends in a
	// second (RFC 5961, 7).
	ChallengeAcks uint8
}

// Defaults returns Linux's facts (ip-sysctl.rst, tcp(7)).
func Defaults() Config {
	return Config{
		RcvBuf:            256 << 10,
		SndBuf:            256 << 10,
		InitialWindow:     10,
		WindowScale:       true,
		Timestamps:        true,
		SACK:              true,
		InitialRTO:        time.Second,
		MinRTO:            200 * time.Millisecond,
		MinVariance:       200 * time.Millisecond,
		MaxRTO:            120 * time.Second,
		SynRetries:        6,
		SynLinearTimeouts: 4,
		SynAckRetries:     5,
		Retries2:          15,
		OrphanRetries:     8,
		DelayedAck:        40 * time.Millisecond,
		QuickAcks:         16,
		TimeWait:          60 * time.Second,
		FinWait2:          60 * time.Second,
		ResetOnUnread:     true,
		ChallengeAcks:     10,
	}
}
