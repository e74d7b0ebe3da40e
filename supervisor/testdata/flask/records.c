/* SPDX-License-Identifier: Apache-2.0 */

/* SOCK_SEQPACKET of AF_UNIX keeps records apart, and connections of AF_UNIX end
 * as they do on the kernel. Each line says what a call answered. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef KERNEL
#include "flask_socket.h"
#else
/* The same on the kernel's own sockets, as far as they know of it. */
#include <unistd.h>
typedef int security_id_t;
#define socket_secure(domain, type, protocol, sid) socket(domain, type, protocol)
#define connect_secure(fd, addr, len, sid) connect(fd, addr, len)
#define accept_secure(fd, addr, len, peer) (*(peer) = 0, accept(fd, addr, len))
#define recvfrom_secure(fd, b, n, flags, addr, len, sender, message) \
	(*(sender) = *(message) = sid(CLIENT), recvfrom(fd, b, n, flags, addr, len))
#define sendto_secure(fd, b, n, flags, addr, len, receiver, message) \
	((receiver) == sid(SERVER) ? sendto(fd, b, n, flags, addr, len) : (errno = EACCES, -1))
#define security_context_to_sid(context, len, s) (*(s) = (context)[23])
#endif
#include "contexts.h"

static struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "\0records" };
static const socklen_t size = offsetof(struct sockaddr_un, sun_path) + 8;

static void said(const char *call, ssize_t n)
{
	if (n < 0)
		printf("%s: %s\n", call, strerror(errno));
	else
		printf("%s: %zd\n", call, n);
	fflush(stdout);
}

/* connection makes one; its server's end is in *server. */
static int connection(int type, int *server)
{
	int l = socket_secure(AF_UNIX, type, 0, sid(SERVER));
	int c = socket_secure(AF_UNIX, type, 0, sid(CLIENT));
	security_id_t s;
	if (bind(l, (struct sockaddr *)&at, size) < 0 || listen(l, 5) < 0 ||
	    connect_secure(c, (struct sockaddr *)&at, size, sid(SERVER)) < 0 ||
	    (*server = accept_secure(l, NULL, NULL, &s)) < 0) {
		perror("connection");
		exit(1);
	}
	close(l);
	return c;
}

static void records(void)
{
	static char big[250000], b[250000];
	struct sockaddr_un from = { 0 };
	socklen_t len = sizeof from;
	security_id_t s = 0, m = 0;
	struct iovec iov = { b, 4 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	int server, client, type;
	ssize_t n;

	client = socket_secure(AF_UNIX, SOCK_SEQPACKET, 0, sid(CLIENT));
	said("send, unconnected", send(client, "x", 1, 0));
	said("recv, unconnected", recv(client, b, 1, 0));
	close(client);
	client = connection(SOCK_SEQPACKET, &server);
	len = sizeof type;
	getsockopt(client, SOL_SOCKET, SO_TYPE, &type, &len);
	printf("SO_TYPE %d\n", type);
	said("send", send(client, "one", 3, 0));
	said("send, empty", send(client, "", 0, 0));
	said("write", write(client, "three", 5));
	said("sendto_secure, of another", sendto_secure(client, "x", 1, 0, NULL, 0, sid(CLIENT), 0));
	said("sendto_secure", sendto_secure(client, "fourth", 6, 0, NULL, 0, sid(SERVER), 0));
	said("sendto, with an address", sendto(client, "5", 1, 0, (struct sockaddr *)&at, size));
	said("recv", recv(server, b, sizeof b, 0));
	said("recv, empty", recv(server, b, sizeof b, 0));
	said("recvmsg", recvmsg(server, &h, 0));
	printf("truncated %d\n", !!(h.msg_flags & MSG_TRUNC));
	said("recvfrom_secure", recvfrom_secure(server, b, 3, MSG_PEEK | MSG_TRUNC, NULL, NULL, &s, &m));
	printf("%.3s, from the client %d\n", b, s == sid(CLIENT) && m == s);
	said("recvfrom_secure", n = recvfrom_secure(server, b, sizeof b, 0, NULL, NULL, &s, &m));
	printf("%.*s\n", (int)n, b);
	said("recv", recv(server, b, sizeof b, 0));
	said("recv, nothing", recv(server, b, sizeof b, MSG_DONTWAIT));
	said("send, back", send(server, "back", 4, MSG_EOR));
	len = sizeof from;
	said("recvfrom", recvfrom(client, b, sizeof b, 0, (struct sockaddr *)&from, &len));
	printf("from the server %d\n", len == size && !memcmp(&from, &at, len));

	memset(big, 'b', sizeof big);
	said("send, long", send(client, big, 200000, 0));
	said("recv, long", recv(server, b, sizeof b, 0));
	said("the same", memcmp(b, big, 200000));
	said("send, too long", send(client, big, sizeof big, 0));
	fflush(stdout);

	pid_t child = fork();
	if (child == 0) { /* more than there is room for */
		for (int i = 0; i < 2000; i++)
			if (send(client, big, 1 + i, 0) != 1 + i)
				said("send", -1);
		shutdown(client, SHUT_WR);
		_exit(0);
	}
	usleep(20000); /* more often than not the other waits by then */
	int whole = 0;
	while ((n = recv(server, b, sizeof b, 0)) > 0)
		whole += n == 1 + whole;
	printf("%d whole\n", whole);
	said("the end", n);
	waitpid(child, NULL, 0);
	said("send, after the other's end", send(server, "more", 4, 0));
	said("recv", recv(client, b, sizeof b, 0));
	close(server);
	said("the other end", recv(client, b, sizeof b, 0));
	said("send", send(client, "x", 1, MSG_NOSIGNAL));
	close(client);
}

/* unread: who closes with something unread resets the connection. */
static void unread(int type)
{
	char b[8];
	int server, client = connection(type, &server), error;
	socklen_t len = sizeof error;

	said("write", write(client, "unread", 6));
	said("write, back", write(server, "last", 4));
	said("write, back", write(server, "word", 4));
	said("peek", recv(server, b, sizeof b, MSG_PEEK)); /* it is there */
	said("peek", recv(client, b, 4, MSG_PEEK));
	close(server);
	struct pollfd hangup = { .fd = client };
	said("hung up", poll(&hangup, 1, 10000));
	said("read", read(client, b, sizeof b));
	said("read", read(client, b, sizeof b));
	said("read", read(client, b, sizeof b));
	said("read", read(client, b, sizeof b));
	getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len);
	printf("SO_ERROR: %s\n", strerror(error));
	close(client);
}

static void credentials(int type)
{
	struct ucred c, s, n;
	socklen_t len = sizeof c;
	int server, client = connection(type, &server), alone = socket_secure(AF_UNIX, type, 0, 0);

	getsockopt(client, SOL_SOCKET, SO_PEERCRED, &c, &len);
	getsockopt(server, SOL_SOCKET, SO_PEERCRED, &s, &len);
	getsockopt(alone, SOL_SOCKET, SO_PEERCRED, &n, &len);
	printf("peers %d %d, of the same user %d; nobody %d %d %d, %u\n", c.pid == getpid(), s.pid == getpid(),
	       c.uid == s.uid, n.pid, (int)n.uid, (int)n.gid, len);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) { /* another process is told of by its own number, and so is the one that connected */
		int other, mine = connection(type, &other);
		getsockopt(mine, SOL_SOCKET, SO_PEERCRED, &c, &len);
		getsockopt(server, SOL_SOCKET, SO_PEERCRED, &s, &len);
		printf("in a child %d, before it %d\n", c.pid == getpid(), s.pid == getppid());
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	close(client);
	close(server);
	close(alone);
}

int main(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	alarm(30); /* whatever goes wrong, this ends */
	records();
	for (int i = 0; i < 2; i++) {
		unread(types[i]);
		credentials(types[i]);
	}
	return 0;
}
