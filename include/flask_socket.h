/* SPDX-License-Identifier: Apache-2.0 */

/*
 * flask_socket.h - Flask's socket calls, those with a security identifier
 * (connect_secure(2), October 1998), for C programs that dialtone hosts.
 *
 * They are system call 185 of x86-64, "security", which is reserved and was
 * never in a released kernel: on any other system each fails with ENOSYS, so a
 * program can try. There is no library to link with.
 *
 * A SID is a number of the host that the program runs on. 0 asks for what the
 * plain call does; any_socket stands for any peer.
 *
 * AF_UNIX sockets that socket_secure makes have names of their own and meet only
 * each other: socket(2) gives a real one, of which these calls know nothing.
 */

#ifndef FLASK_SOCKET_H
#define FLASK_SOCKET_H

#if !defined(__linux__) || !defined(__x86_64__)
#error "flask_socket.h: only x86-64 Linux has a number for these calls"
#endif

#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef uint32_t security_id_t;

#define SECSID_NULL ((security_id_t)0)
#define SECINITSID_ANY_SOCKET ((security_id_t)8)

#define FLASK_MAGIC 0xF97CFF8CUL
#define FLASK_CALL(number, ...) (unsigned long[]){ __VA_ARGS__ }, number

/* flask_call makes one call of the family; args are its arguments. */
static inline long flask_call(unsigned long *args, int number)
{
	return syscall(185, FLASK_MAGIC, number, args);
}

#define FLASK_WORD(x) ((unsigned long)(x))

/* The length at *len is the buffer's, and then what is needed, NUL counted:
 * ENOSPC where that is more. */
static inline int security_sid_to_context(security_id_t sid, char *context,
					  uint32_t *len)
{
	return (int)flask_call(FLASK_CALL(5, sid, FLASK_WORD(context),
					  FLASK_WORD(len)));
}

static inline int security_context_to_sid(const char *context, uint32_t len,
					  security_id_t *sid)
{
	return (int)flask_call(FLASK_CALL(6, FLASK_WORD(context), len,
					  FLASK_WORD(sid)));
}

static inline int socket_secure(int domain, int type, int protocol,
				security_id_t sid)
{
	return (int)flask_call(FLASK_CALL(41, FLASK_WORD(domain),
					  FLASK_WORD(type),
					  FLASK_WORD(protocol), sid));
}

static inline int accept_secure(int fd, struct sockaddr *addr, socklen_t *len,
				security_id_t *peer)
{
	return (int)flask_call(FLASK_CALL(42, FLASK_WORD(fd), FLASK_WORD(addr),
					  FLASK_WORD(len), FLASK_WORD(peer)));
}

static inline int connect_secure(int fd, const struct sockaddr *addr,
				 socklen_t len, security_id_t peer)
{
	return (int)flask_call(FLASK_CALL(43, FLASK_WORD(fd), FLASK_WORD(addr),
					  len, peer));
}

static inline int listen_secure(int fd, int backlog, security_id_t newconn,
				int useclient)
{
	return (int)flask_call(FLASK_CALL(44, FLASK_WORD(fd),
					  FLASK_WORD(backlog), newconn,
					  FLASK_WORD(useclient)));
}

static inline int getpeername_secure(int fd, struct sockaddr *addr,
				     socklen_t *len, security_id_t *peer)
{
	return (int)flask_call(FLASK_CALL(45, FLASK_WORD(fd), FLASK_WORD(addr),
					  FLASK_WORD(len), FLASK_WORD(peer)));
}

static inline int getsockname_secure(int fd, struct sockaddr *addr,
				     socklen_t *len, security_id_t *own)
{
	return (int)flask_call(FLASK_CALL(46, FLASK_WORD(fd), FLASK_WORD(addr),
					  FLASK_WORD(len), FLASK_WORD(own)));
}

/* sender is the SID of the socket that sent, message that of what it sent: the
 * same unless it was sent with another. 0: not known. */
static inline ssize_t recvfrom_secure(int fd, void *data, size_t n, int flags,
				      struct sockaddr *from, socklen_t *len,
				      security_id_t *sender,
				      security_id_t *message)
{
	return flask_call(FLASK_CALL(47, FLASK_WORD(fd), FLASK_WORD(data), n,
				     FLASK_WORD(flags), FLASK_WORD(from),
				     FLASK_WORD(len), FLASK_WORD(sender),
				     FLASK_WORD(message)));
}

static inline ssize_t recvmsg_secure(int fd, struct msghdr *msg, int flags,
				     security_id_t *sender,
				     security_id_t *message)
{
	return flask_call(FLASK_CALL(48, FLASK_WORD(fd), FLASK_WORD(msg),
				     FLASK_WORD(flags), FLASK_WORD(sender),
				     FLASK_WORD(message)));
}

static inline ssize_t sendmsg_secure(int fd, const struct msghdr *msg,
				     int flags, security_id_t receiver,
				     security_id_t message)
{
	return flask_call(FLASK_CALL(49, FLASK_WORD(fd), FLASK_WORD(msg),
				     FLASK_WORD(flags), receiver, message));
}

static inline ssize_t sendto_secure(int fd, const void *data, size_t n,
				    int flags, const struct sockaddr *to,
				    socklen_t len, security_id_t receiver,
				    security_id_t message)
{
	return flask_call(FLASK_CALL(50, FLASK_WORD(fd), FLASK_WORD(data), n,
				     FLASK_WORD(flags), FLASK_WORD(to), len,
				     receiver, message));
}

#endif
