// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strconv"
	"strings"

	"dialtone/conformance/internal/linux"
	"dialtone/errno"
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
		{"UNSPEC", linux.AF_UNSPEC},
		{"UNIX", linux.AF_UNIX},
		{"INET", linux.AF_INET},
		{"INET6", linux.AF_INET6},
		{"NETLINK", linux.AF_NETLINK},
		{"PACKET", linux.AF_PACKET},
		{"ALG", linux.AF_ALG},
		{"VSOCK", linux.AF_VSOCK},
		{"SMC", linux.AF_SMC},
		{"RDS", linux.AF_RDS},
		{"TIPC", linux.AF_TIPC},
		{"BLUETOOTH", linux.AF_BLUETOOTH},
	}
	types = names{
		{"STREAM", linux.SOCK_STREAM},
		{"DGRAM", linux.SOCK_DGRAM},
		{"RAW", linux.SOCK_RAW},
		{"RDM", linux.SOCK_RDM},
		{"SEQPACKET", linux.SOCK_SEQPACKET},
		{"DCCP", linux.SOCK_DCCP},
		{"NONBLOCK", linux.SOCK_NONBLOCK},
	}
	protocols = names{
		{"ICMP", linux.IPPROTO_ICMP},
		{"TCP", linux.IPPROTO_TCP},
		{"UDP", linux.IPPROTO_UDP},
		{"DCCP", linux.IPPROTO_DCCP},
		{"ICMPV6", linux.IPPROTO_ICMPV6},
		{"SCTP", linux.IPPROTO_SCTP},
		{"UDPLITE", linux.IPPROTO_UDPLITE},
		{"MPTCP", linux.IPPROTO_MPTCP},
	}
	messageFlags = names{
		{"OOB", linux.MSG_OOB},
		{"PEEK", linux.MSG_PEEK},
		{"DONTROUTE", linux.MSG_DONTROUTE},
		{"DONTWAIT", linux.MSG_DONTWAIT},
		{"ERRQUEUE", linux.MSG_ERRQUEUE},
		{"FASTOPEN", linux.MSG_FASTOPEN},
		{"MORE", linux.MSG_MORE},
		{"TRUNC", linux.MSG_TRUNC},
		{"WAITALL", linux.MSG_WAITALL},
	}
	// The order is that of the events in a transcript.
	pollEvents = names{
		{"IN", linux.POLLIN},
		{"PRI", linux.POLLPRI},
		{"OUT", linux.POLLOUT},
		{"ERR", linux.POLLERR},
		{"HUP", linux.POLLHUP},
		{"NVAL", linux.POLLNVAL},
		{"RDHUP", linux.POLLRDHUP},
	}
	// EPOLLET is bit 31; the others are as in poll(2).
	epollEvents = append(slices.Clone(pollEvents), name{"ET", 1 << 31}, name{"ONESHOT", linux.EPOLLONESHOT})
	epollOps    = names{{"ADD", linux.EPOLL_CTL_ADD}, {"MOD", linux.EPOLL_CTL_MOD}, {"DEL", linux.EPOLL_CTL_DEL}}
	shutdowns   = names{{"SHUT_RD", linux.SHUT_RD}, {"SHUT_WR", linux.SHUT_WR}, {"SHUT_RDWR", linux.SHUT_RDWR}}
	openFlags   = names{
		{"O_RDONLY", linux.O_RDONLY},
		{"O_WRONLY", linux.O_WRONLY},
		{"O_RDWR", linux.O_RDWR},
		{"O_PATH", linux.O_PATH},
		{"O_DIRECTORY", linux.O_DIRECTORY},
		{"O_NONBLOCK", linux.O_NONBLOCK},
	}
	capabilities = names{
		{"CAP_CHOWN", linux.CAP_CHOWN},
		{"CAP_DAC_OVERRIDE", linux.CAP_DAC_OVERRIDE},
		{"CAP_DAC_READ_SEARCH", linux.CAP_DAC_READ_SEARCH},
		{"CAP_FOWNER", linux.CAP_FOWNER},
		{"CAP_SETUID", linux.CAP_SETUID},
		{"CAP_SETGID", linux.CAP_SETGID},
		{"CAP_NET_BIND_SERVICE", linux.CAP_NET_BIND_SERVICE},
		{"CAP_NET_BROADCAST", linux.CAP_NET_BROADCAST},
		{"CAP_NET_ADMIN", linux.CAP_NET_ADMIN},
		{"CAP_NET_RAW", linux.CAP_NET_RAW},
		{"CAP_SYS_ADMIN", linux.CAP_SYS_ADMIN},
	}
	tcpStates = names{
		{"ESTABLISHED", 1},
		{"SYN_SENT", 2},
		{"SYN_RECV", 3},
		{"FIN_WAIT1", 4},
		{"FIN_WAIT2", 5},
		{"TIME_WAIT", 6},
		{"CLOSE", 7},
		{"CLOSE_WAIT", 8},
		{"LAST_ACK", 9},
		{"LISTEN", 10},
		{"CLOSING", 11},
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
	switch e := errno.Errno(n); {
	case n == 0:
		return "0"
	case e.Known():
		return e.Name()
	}
	return "errno " + strconv.Itoa(n)
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
