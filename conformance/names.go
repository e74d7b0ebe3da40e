// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// name is a constant of the manual with its Linux number.
type name struct {
	name  string
	value int
}

// names is a table of constants; flags of one word are joined by |.
type names []name

var (
	families = names{
		{"UNSPEC", unix.AF_UNSPEC}, {"UNIX", unix.AF_UNIX}, {"INET", unix.AF_INET}, {"INET6", unix.AF_INET6},
		{"NETLINK", unix.AF_NETLINK}, {"PACKET", unix.AF_PACKET}, {"ALG", unix.AF_ALG}, {"VSOCK", unix.AF_VSOCK},
		{"SMC", unix.AF_SMC}, {"RDS", unix.AF_RDS}, {"TIPC", unix.AF_TIPC}, {"BLUETOOTH", unix.AF_BLUETOOTH},
	}
	types = names{
		{"STREAM", unix.SOCK_STREAM}, {"DGRAM", unix.SOCK_DGRAM}, {"RAW", unix.SOCK_RAW}, {"RDM", unix.SOCK_RDM},
		{"SEQPACKET", unix.SOCK_SEQPACKET}, {"DCCP", unix.SOCK_DCCP}, {"NONBLOCK", unix.SOCK_NONBLOCK},
	}
	protocols = names{
		{"ICMP", unix.IPPROTO_ICMP}, {"TCP", unix.IPPROTO_TCP}, {"UDP", unix.IPPROTO_UDP}, {"DCCP", unix.IPPROTO_DCCP},
		{"ICMPV6", unix.IPPROTO_ICMPV6}, {"SCTP", unix.IPPROTO_SCTP}, {"UDPLITE", unix.IPPROTO_UDPLITE},
		{"MPTCP", unix.IPPROTO_MPTCP},
	}
	messageFlags = names{
		{"OOB", unix.MSG_OOB}, {"PEEK", unix.MSG_PEEK}, {"DONTROUTE", unix.MSG_DONTROUTE},
		{"DONTWAIT", unix.MSG_DONTWAIT}, {"ERRQUEUE", unix.MSG_ERRQUEUE}, {"FASTOPEN", unix.MSG_FASTOPEN},
		{"MORE", unix.MSG_MORE}, {"TRUNC", unix.MSG_TRUNC}, {"WAITALL", unix.MSG_WAITALL},
	}
	// The order is that of the events in a transcript.
	pollEvents = names{
		{"IN", unix.POLLIN}, {"PRI", unix.POLLPRI}, {"OUT", unix.POLLOUT}, {"ERR", unix.POLLERR}, {"HUP", unix.POLLHUP},
		{"NVAL", unix.POLLNVAL}, {"RDHUP", unix.POLLRDHUP},
	}
	// EPOLLET is bit 31; the others are as in poll(2).
	epollEvents = append(slices.Clone(pollEvents), name{"ET", 1 << 31}, name{"ONESHOT", unix.EPOLLONESHOT})
	epollOps    = names{{"ADD", unix.EPOLL_CTL_ADD}, {"MOD", unix.EPOLL_CTL_MOD}, {"DEL", unix.EPOLL_CTL_DEL}}
	shutdowns   = names{{"SHUT_RD", unix.SHUT_RD}, {"SHUT_WR", unix.SHUT_WR}, {"SHUT_RDWR", unix.SHUT_RDWR}}
	openFlags   = names{
		{"O_RDONLY", unix.O_RDONLY}, {"O_WRONLY", unix.O_WRONLY}, {"O_RDWR", unix.O_RDWR}, {"O_PATH", unix.O_PATH},
		{"O_DIRECTORY", unix.O_DIRECTORY}, {"O_NONBLOCK", unix.O_NONBLOCK},
	}
	capabilities = names{
		{"CAP_CHOWN", unix.CAP_CHOWN}, {"CAP_DAC_OVERRIDE", unix.CAP_DAC_OVERRIDE},
		{"CAP_DAC_READ_SEARCH", unix.CAP_DAC_READ_SEARCH}, {"CAP_FOWNER", unix.CAP_FOWNER},
		{"CAP_SETUID", unix.CAP_SETUID}, {"CAP_SETGID", unix.CAP_SETGID},
		{"CAP_NET_BIND_SERVICE", unix.CAP_NET_BIND_SERVICE}, {"CAP_NET_BROADCAST", unix.CAP_NET_BROADCAST},
		{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN}, {"CAP_NET_RAW", unix.CAP_NET_RAW}, {"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN},
	}
	tcpStates = names{
		{"ESTABLISHED", 1}, {"SYN_SENT", 2}, {"SYN_RECV", 3}, {"FIN_WAIT1", 4}, {"FIN_WAIT2", 5}, {"TIME_WAIT", 6},
		{"CLOSE", 7}, {"CLOSE_WAIT", 8}, {"LAST_ACK", 9}, {"LISTEN", 10}, {"CLOSING", 11},
	}
)

// flags gives the number of NAME|NAME or of a plain number.
func (n names) flags(s string) (int, bool) {
	value := 0
	for word := range strings.SplitSeq(s, "|") {
		if number, err := strconv.Atoi(word); err == nil {
			value |= number
			continue
		}
		i := slices.IndexFunc(n, func(n name) bool { return n.name == word })
		if i < 0 {
			return 0, false
		}
		value |= n[i].value
	}
	return value, true
}

// text writes a set of flags; 0 as "0".
func (n names) text(value int) string {
	var words []string
	for _, c := range n {
		if c.value != 0 && value&c.value == c.value {
			words = append(words, c.name)
			value &^= c.value
		}
	}
	if value != 0 || len(words) == 0 {
		words = append(words, strconv.Itoa(value))
	}
	return strings.Join(words, "|")
}

// known lists the names, for error messages.
func (n names) known() string {
	var words []string
	for _, c := range n {
		words = append(words, c.name)
	}
	return strings.Join(words, " ")
}

// TCPState is the name of a TCP state, numbered as in tcp_states.h of Linux.
func TCPState(n int) string {
	for _, c := range tcpStates {
		if c.value == n {
			return c.name
		}
	}
	return strconv.Itoa(n)
}

// ErrnoName is the name used in scripts: EAGAIN and EOPNOTSUPP rather than their synonyms EWOULDBLOCK and ENOTSUP.
func ErrnoName(n int) string {
	switch e := unix.Errno(n); e {
	case 0:
		return "0"
	case unix.EAGAIN:
		return "EAGAIN"
	case unix.EOPNOTSUPP:
		return "EOPNOTSUPP"
	default:
		if s := unix.ErrnoName(e); s != "" {
			return s
		}
		return "errno " + strconv.Itoa(n)
	}
}

// Capability is the number of a capability by its name in capabilities(7).
func Capability(s string) (int, bool) {
	for _, c := range capabilities {
		if c.name == s {
			return c.value, true
		}
	}
	return 0, false
}
