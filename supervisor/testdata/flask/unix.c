/* SPDX-License-Identifier: Apache-2.0 */

/* The calls with a SID on AF_UNIX. Each line says what a call answered. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "flask_socket.h"
#include "contexts.h"

#define CONNECTION "user_u:user_r:client_t:s0"

static void say(const char *call, long result)
{
	printf("%s: %s\n", call, result < 0 ? strerror(errno) : "ok");
	fflush(stdout);
}

static void connection(int type, struct sockaddr_un *at, socklen_t size)
{
	struct sockaddr *a = (struct sockaddr *)at;
	struct sockaddr_un other;
	socklen_t len = sizeof other;
	security_id_t s = 0, m = 0;
	char b[16] = "";

	int l = socket_secure(AF_UNIX, type, 0, sid(SERVER));
	int c = socket_secure(AF_UNIX, type, 0, sid(CLIENT));
	say("connect_secure, nobody there", connect_secure(c, a, size, sid(SERVER)));
	say("bind", bind(l, a, size));
	say("connect_secure, not listening", connect_secure(c, a, size, sid(SERVER)));
	say("listen_secure", listen_secure(l, 0, sid(CONNECTION), 0));
	say("connect_secure, another", connect_secure(c, a, size, sid(CONNECTION)));
	struct pollfd p = { .fd = l, .events = POLLIN };
	printf("readable %d\n", poll(&p, 1, 0));
	say("connect_secure", connect_secure(c, a, size, sid(SERVER)));
	say("getpeername_secure", getpeername_secure(c, (struct sockaddr *)&other, &len, &s));
	printf("peer %s, same name %d\n", name(s), len == size && !memcmp(&other, at, len));

	/* The queue holds one. */
	int full = socket_secure(AF_UNIX, type | SOCK_NONBLOCK, 0, sid(CLIENT));
	say("connect, full", connect(full, a, size));
	fflush(stdout);
	if (fork() == 0) {
		int w = socket_secure(AF_UNIX, type, 0, sid(CLIENT));
		if (connect_secure(w, a, size, sid(SERVER)) < 0 || write(w, "second", 6) != 6)
			say("a connect that waits", -1);
		_exit(0);
	}
	usleep(20000); /* more often than not the other waits by then */
	len = sizeof other;
	int fd = accept_secure(l, (struct sockaddr *)&other, &len, &s);
	say("accept_secure", fd);
	printf("client %s, unnamed %d\n", name(s), len == sizeof(sa_family_t));
	int fd2 = accept_secure(l, NULL, NULL, &s);
	say("accept_secure", fd2);
	len = sizeof other;
	getsockname_secure(fd, (struct sockaddr *)&other, &len, &s);
	printf("connection %s, same name %d\n", name(s), len == size && !memcmp(&other, at, len));
	ssize_t n = read(fd2, b, sizeof b);
	printf("read %.*s\n", (int)n, b);
	if (write(c, "first", 5) != 5)
		say("write", -1);
	n = recvfrom_secure(fd, b, sizeof b, 0, NULL, NULL, &s, &m);
	printf("read %.*s of %s\n", (int)n, b, name(s));
	say("sendto_secure, to another", sendto_secure(fd, "x", 1, 0, NULL, 0, sid(SERVER), 0));
	say("sendto_secure", sendto_secure(fd, "back", 4, 0, NULL, 0, sid(CLIENT), 0));
	n = read(c, b, sizeof b);
	printf("read %.*s\n", (int)n, b);
	close(fd);
	printf("end %zd\n", read(c, b, sizeof b));
	char context[64];
	len = sizeof context;
	say("SO_PEERSEC", getsockopt(c, SOL_SOCKET, SO_PEERSEC, context, &len));
	printf("peer %.*s\n", (int)len, context);
	fflush(stdout);
	wait(NULL);
	close(c);
	close(fd2);
	close(l);
	c = socket_secure(AF_UNIX, type, 0, sid(CLIENT));
	say("connect_secure, closed", connect_secure(c, a, size, sid(SERVER)));
	close(c);
}

static void datagrams(struct sockaddr_un *at, socklen_t size)
{
	struct sockaddr *a = (struct sockaddr *)at;
	struct sockaddr_un other = { .sun_family = AF_UNIX, .sun_path = "\0sender" }, from;
	socklen_t osize = offsetof(struct sockaddr_un, sun_path) + 7, len = sizeof from;
	security_id_t s = 0, m = 0;
	static char big[65536];
	char b[16] = "";
	ssize_t n;

	int u = socket_secure(AF_UNIX, SOCK_DGRAM, 0, sid(SERVER));
	int v = socket_secure(AF_UNIX, SOCK_DGRAM, 0, sid(CLIENT));
	if (bind(u, a, size) < 0)
		say("bind", -1);
	say("sendto_secure, another", sendto_secure(v, "x", 1, 0, a, size, sid(CLIENT), 0));
	say("sendto_secure, another message", sendto_secure(v, "x", 1, 0, a, size, 0, sid(CONNECTION)));
	say("sendto_secure", sendto_secure(v, "one", 3, 0, a, size, sid(SERVER), 0));
	n = recvfrom_secure(u, b, sizeof b, 0, (struct sockaddr *)&from, &len, &s, &m);
	printf("read %.*s of %s", (int)n, b, name(s));
	printf(", %s, unnamed %d\n", name(m), len == sizeof(sa_family_t) || len == 0);
	say("bind", bind(v, (struct sockaddr *)&other, osize));
	say("connect_secure, another", connect_secure(v, a, size, sid(CONNECTION)));
	say("connect_secure", connect_secure(v, a, size, sid(SERVER)));
	say("send", send(v, "two", 3, 0));
	len = sizeof from;
	n = recvfrom(u, b, sizeof b, 0, (struct sockaddr *)&from, &len);
	printf("read %.*s, from the sender %d\n", (int)n, b, len == osize && !memcmp(&from, &other, len));
	say("connect_secure, back, another", connect_secure(u, (struct sockaddr *)&from, len, sid(SERVER)));
	say("too long", send(v, big, sizeof big, 0));
	say("too long", sendto_secure(v, big, sizeof big, 0, NULL, 0, 0, 0));
	fflush(stdout);
	for (int connected = 0; connected < 2; connected++) {
		pid_t child = fork();
		if (child == 0) { /* more than there is room for, and all of it comes */
			for (int i = 0; i < 100; i++) {
				ssize_t r = connected ? send(v, &i, sizeof i, 0) : sendto(v, &i, sizeof i, 0, a, size);
				if (r != sizeof i)
					say("send", -1);
			}
			sleep(20); /* until the parent has it all */
			_exit(0);
		}
		usleep(20000); /* more often than not the other waits by then */
		int in_order = 0;
		for (int i = 0, j; i < 100; i++) {
			if (recv(u, &j, sizeof j, 0) != sizeof j)
				say("recv", -1);
			in_order += i == j;
		}
		printf("%d in order\n", in_order);
		fflush(stdout);
		kill(child, SIGTERM);
		wait(NULL);
	}
}

/* What was sent arrives, though the sender has closed and the receiver had no
 * room. */
static void last(struct sockaddr_un *at, socklen_t size)
{
	int u = socket_secure(AF_UNIX, SOCK_DGRAM, 0, sid(SERVER)), in_order = 0;

	if (bind(u, (struct sockaddr *)at, size) < 0)
		say("bind", -1);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		int v = socket_secure(AF_UNIX, SOCK_DGRAM, 0, sid(CLIENT));
		if (connect_secure(v, (struct sockaddr *)at, size, sid(SERVER)) < 0)
			say("connect_secure", -1);
		for (int i = 0; i < 30; i++)
			if (send(v, &i, sizeof i, 0) != sizeof i)
				say("send", -1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	usleep(200000); /* the end of the socket is noticed meanwhile */
	for (int i = 0, j; i < 30; i++) {
		if (recv(u, &j, sizeof j, 0) != sizeof j)
			say("recv", -1);
		in_order += i == j;
	}
	printf("%d in order\n", in_order);
	close(u);
}

/* Descriptors don't pass, and that is said. */
static void rights(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { "x", 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control } };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m.msg_hdr);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	for (int i = 0; i < 3; i++) {
		int fd = socket_secure(AF_UNIX, types[i], 0, 0);
		say("sendmsg, SCM_RIGHTS", sendmsg(fd, &m.msg_hdr, 0));
		say("sendmmsg, SCM_RIGHTS", sendmmsg(fd, &m, 1, 0));
		close(fd);
	}
}

int main(void)
{
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0flask" };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/tmp/flask" };

	alarm(30); /* whatever goes wrong, this ends */
	say("SOCK_RDM", socket_secure(AF_UNIX, SOCK_RDM, 0, 0));
	say("AF_NETLINK", socket_secure(AF_NETLINK, SOCK_RAW, 0, 0));
	connection(SOCK_STREAM, &abstract, offsetof(struct sockaddr_un, sun_path) + 6);
	printf("by a path\n");
	fflush(stdout);
	connection(SOCK_STREAM, &path, offsetof(struct sockaddr_un, sun_path) + 11);
	printf("records\n");
	fflush(stdout);
	connection(SOCK_SEQPACKET, &abstract, offsetof(struct sockaddr_un, sun_path) + 6);
	printf("datagrams\n");
	fflush(stdout);
	datagrams(&abstract, offsetof(struct sockaddr_un, sun_path) + 6);
	last(&abstract, offsetof(struct sockaddr_un, sun_path) + 5);
	rights();
	return 0;
}
