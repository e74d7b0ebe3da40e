// SPDX-License-Identifier: Apache-2.0

package drill

// constants are the names that scripts use, with Linux's numbers for x86-64.
var constants = map[string]int64{
	"NULL": 0, "AF_UNSPEC": 0, "AF_INET": 2, "AF_INET6": 10,
	"SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_NONBLOCK": 0x800, "SOCK_CLOEXEC": 0x80000,
	"IPPROTO_IP": 0, "IPPROTO_TCP": 6, "IPPROTO_IPV6": 41,
	"SOL_SOCKET": 1, "SOL_IP": 0, "SOL_TCP": 6, "SOL_IPV6": 41,
	"SO_REUSEADDR": 2, "SO_ERROR": 4, "SO_SNDBUF": 7, "SO_RCVBUF": 8, "SO_KEEPALIVE": 9, "SO_LINGER": 13,
	"SO_REUSEPORT": 15, "SO_RCVTIMEO": 20, "SO_SNDTIMEO": 21, "SO_MARK": 36,
	"IP_TOS": 1, "IP_TTL": 2, "IP_MTU_DISCOVER": 10, "IP_RECVERR": 11, "IP_FREEBIND": 15, "IP_PMTUDISC_DONT": 0,
	"IPV6_RECVERR": 25, "IPV6_TCLASS": 67,
	"TCP_NODELAY": 1, "TCP_MAXSEG": 2, "TCP_CORK": 3, "TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 6,
	"TCP_SYNCNT": 7, "TCP_LINGER2": 8, "TCP_DEFER_ACCEPT": 9, "TCP_WINDOW_CLAMP": 10, "TCP_INFO": 11, "TCP_QUICKACK": 12,
	"TCP_USER_TIMEOUT": 18, "TCP_FASTOPEN": 23, "TCP_NOTSENT_LOWAT": 25, "TCP_FASTOPEN_CONNECT": 30,
	"TCP_FASTOPEN_KEY": 33,
	"MSG_OOB":          1, "MSG_PEEK": 2, "MSG_TRUNC": 0x20, "MSG_DONTWAIT": 0x40, "MSG_EOR": 0x80, "MSG_WAITALL": 0x100,
	"MSG_NOSIGNAL": 0x4000, "MSG_MORE": 0x8000, "MSG_ERRQUEUE": 0x2000, "MSG_FASTOPEN": 0x20000000,
	"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2,
	"F_GETFL": 3, "F_SETFL": 4, "O_RDONLY": 0, "O_RDWR": 2, "O_NONBLOCK": 0x800,
	"POLLIN": 1, "POLLPRI": 2, "POLLOUT": 4, "POLLERR": 8, "POLLHUP": 16, "POLLNVAL": 32, "POLLRDHUP": 0x2000,
	"EPOLLIN": 1, "EPOLLPRI": 2, "EPOLLOUT": 4, "EPOLLERR": 8, "EPOLLHUP": 16, "EPOLLRDHUP": 0x2000,
	"EPOLLET": 1 << 31, "EPOLLONESHOT": 1 << 30, "EPOLL_CTL_ADD": 1, "EPOLL_CTL_DEL": 2, "EPOLL_CTL_MOD": 3,

	// What TCP_INFO says.
	"TCP_ESTABLISHED": 1, "TCP_SYN_SENT": 2, "TCP_SYN_RECV": 3, "TCP_FIN_WAIT1": 4, "TCP_FIN_WAIT2": 5,
	"TCP_TIME_WAIT": 6, "TCP_CLOSE": 7, "TCP_CLOSE_WAIT": 8, "TCP_LAST_ACK": 9, "TCP_LISTEN": 10, "TCP_CLOSING": 11,
	"TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
	"TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8, "TCPI_OPT_ECN_SEEN": 16,
	"TCPI_OPT_SYN_DATA": 32,
}

// infoField is where a member of struct tcp_info lies (linux/tcp.h), and its size in bytes.
type infoField struct{ at, size int }

var infoFields = map[string]infoField{
	"tcpi_state": {0, 1}, "tcpi_ca_state": {1, 1}, "tcpi_retransmits": {2, 1}, "tcpi_probes": {3, 1},
	"tcpi_backoff": {4, 1}, "tcpi_options": {5, 1}, "tcpi_rto": {8, 4}, "tcpi_ato": {12, 4}, "tcpi_snd_mss": {16, 4},
	"tcpi_rcv_mss": {20, 4}, "tcpi_unacked": {24, 4}, "tcpi_sacked": {28, 4}, "tcpi_lost": {32, 4},
	"tcpi_retrans": {36, 4}, "tcpi_fackets": {40, 4}, "tcpi_last_data_sent": {44, 4}, "tcpi_last_data_recv": {52, 4},
	"tcpi_last_ack_recv": {56, 4}, "tcpi_pmtu": {60, 4}, "tcpi_rcv_ssthresh": {64, 4}, "tcpi_rtt": {68, 4},
	"tcpi_rttvar": {72, 4}, "tcpi_snd_ssthresh": {76, 4}, "tcpi_snd_cwnd": {80, 4}, "tcpi_advmss": {84, 4},
	"tcpi_reordering": {88, 4}, "tcpi_rcv_rtt": {92, 4}, "tcpi_rcv_space": {96, 4}, "tcpi_total_retrans": {100, 4},
	"tcpi_bytes_acked": {120, 8}, "tcpi_bytes_received": {128, 8}, "tcpi_segs_out": {136, 4}, "tcpi_segs_in": {140, 4},
	"tcpi_notsent_bytes": {144, 4}, "tcpi_min_rtt": {148, 4}, "tcpi_data_segs_in": {152, 4},
	"tcpi_data_segs_out": {156, 4}, "tcpi_busy_time": {168, 8}, "tcpi_rwnd_limited": {176, 8},
	"tcpi_sndbuf_limited": {184, 8}, "tcpi_delivered": {192, 4}, "tcpi_delivered_ce": {196, 4},
	"tcpi_bytes_sent": {200, 8}, "tcpi_bytes_retrans": {208, 8}, "tcpi_dsack_dups": {216, 4}, "tcpi_reord_seen": {220, 4},
}
