// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"encoding/binary"
	"time"

	"dialtone/errno"
)

// ControlMessage goes with the bytes of a message (cmsg(3)). Data is as a C program on x86-64 has it behind the header.
// Descriptors and credentials are not among them: [Message] has places of their own for these.
type ControlMessage struct {
	Level, Type int
	Data        []byte
}

// Control messages of SOL_SOCKET that send knows beside options that it may set for one message, in Linux's numbers.
const (
	scmRights      = 1
	scmCredentials = 2
)

// mostPriority is what everybody may set SO_PRIORITY to (socket(7)).
const mostPriority = 6

// CheckControl checks a control message of SOL_SOCKET that is given to send for an internet socket (__sock_cmsg_send). None
// changes anything here: marks and priorities are nothing that routes or queues ask for, and no time of sending is told.
func CheckControl(c *Call, m ControlMessage) errno.Errno {
	may := func(right Caps) bool { return c.Caller == nil || c.Caller.May(right) }
	switch m.Type {
	case scmRights, scmCredentials:
		return errno.OK // AF_UNIX's, which others don't look at
	case SoMark:
		switch {
		case !may(NetRaw) && !may(NetAdmin):
			return errno.EPERM
		case len(m.Data) != 4:
			return errno.EINVAL
		}
		return errno.OK
	case SoPriority:
		switch {
		case len(m.Data) != 4:
			return errno.EINVAL
		case binary.LittleEndian.Uint32(m.Data) > mostPriority && !may(NetRaw) && !may(NetAdmin):
			return errno.EPERM
		}
		return errno.OK
	case soTimestamping, soTimestampingNew:
		if len(m.Data) != 4 {
			return errno.EINVAL
		}
		return errno.OK
	}
	// So are SCM_TXTIME and SCM_TS_OPT_ID of sockets that lack SO_TXTIME and SOF_TIMESTAMPING_OPT_ID.
	return errno.EINVAL
}

// stamp is how a datagram tells when it came.
type stamp uint8

const (
	noStamp        stamp = iota
	stampMicros          // SO_TIMESTAMP: a struct timeval
	stampNanos           // SO_TIMESTAMPNS: a struct timespec
	stampMicrosNew       // the same in 64 bits everywhere, which is no difference here but for the number
	stampNanosNew
)

// stampBy returns what an option asks for; noStamp: it is another one. What was set last counts, and whichever is set to 0 ends
// it (sock_set_timestamp).
func stampBy(name int) stamp {
	switch name {
	case SoTimestamp:
		return stampMicros
	case soTimestampNS:
		return stampNanos
	case soTimestampNew:
		return stampMicrosNew
	case soTimestampNSNew:
		return stampNanosNew
	}
	return noStamp
}

// Annotates reports whether what the socket receives comes with control messages of SOL_SOCKET.
func (o *options) Annotates() bool { return o.stamps != noStamp || o.drops }

// Annotate appends the control messages of SOL_SOCKET that a datagram comes with (__sock_recv_cmsgs): when it came, and how
// many others before it had found no room, as counted when it came.
func (o *options) Annotate(to []ControlMessage, at time.Time, drops uint32) []ControlMessage {
	stamped := func(name, fraction int) {
		b := binary.LittleEndian.AppendUint64(nil, uint64(at.Unix()))
		to = append(to, ControlMessage{SolSocket, name, binary.LittleEndian.AppendUint64(b, uint64(fraction))})
	}
	switch o.stamps {
	case stampMicros:
		stamped(SoTimestamp, at.Nanosecond()/1000)
	case stampMicrosNew:
		stamped(soTimestampNew, at.Nanosecond()/1000)
	case stampNanos:
		stamped(soTimestampNS, at.Nanosecond())
	case stampNanosNew:
		stamped(soTimestampNSNew, at.Nanosecond())
	}
	if o.drops && drops != 0 {
		to = append(to, ControlMessage{SolSocket, soRxQOvfl, binary.LittleEndian.AppendUint32(nil, drops)})
	}
	return to
}
