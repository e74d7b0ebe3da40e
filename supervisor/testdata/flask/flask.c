/* SPDX-License-Identifier: Apache-2.0 */

/* A server that labels its connections, and a client that wants it. Each line
 * says what a call answered. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "flask_socket.h"
#include "contexts.h"

#define CONNECTION "user_u:user_r:client_t:s0"

static const char *errname(int e)
{
	switch (e) {
	case 0: return "0";
	case EBADF: return "EBADF";
	case ENOTSOCK: return "ENOTSOCK";
	case EFAULT: return "EFAULT";
	case EINVAL: return "EINVAL";
	case ENOSPC: return "ENOSPC";
	case ERANGE: return "ERANGE";
	case ENOSYS: return "ENOSYS";
	case ENOTCONN: return "ENOTCONN";
	case EISCONN: return "EISCONN";
	case EACCES: return "EACCES";
	case ECONNREFUSED: return "ECONNREFUSED";
	case EAFNOSUPPORT: return "EAFNOSUPPORT";
	case ENAMETOOLONG: return "ENAMETOOLONG";
	}
	return strerror(e);
}

static void say(const char *call, long result)
{
	printf("%s: %s\n", call, errname(result < 0 ? errno : 0));
	fflush(stdout);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr *a = (struct sockaddr *)&at;
	socklen_t len = sizeof at;
	security_id_t s = 0;
	uint32_t room = 4;
	char small[4], data[8];

	alarm(30); /* whatever goes wrong, this ends */
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (security_context_to_sid(SERVER, sizeof SERVER, &s) < 0 && errno == ENOSYS) {
		printf("no access control\n");
		return 0;
	}
	say("wrong magic", syscall(185, 1, 43, 0));
	say("wrong call", syscall(185, FLASK_MAGIC, 53, 0));
	say("no block", syscall(185, FLASK_MAGIC, 43, 0));
	say("no descriptor", connect_secure(99, a, len, s));
	say("no socket", connect_secure(1, a, len, s));
	say("no such context", security_context_to_sid("a:b:c", 5, &s));
	say("small buffer", security_sid_to_context(sid(SERVER), small, &room));
	printf("needs %u\n", room);
	say("unknown SID", socket_secure(AF_INET, SOCK_STREAM, 0, 4711));

	int l = socket_secure(AF_INET, SOCK_STREAM, 0, sid(SERVER));
	say("socket_secure", l);
	say("bind", bind(l, a, len));
	say("both ways", listen_secure(l, 5, sid(CONNECTION), 1));
	say("listen_secure", listen_secure(l, 5, sid(CONNECTION), 0));
	say("getsockname_secure, NULL", getsockname_secure(l, a, &len, NULL));
	say("getsockname_secure", getsockname_secure(l, a, &len, &s));
	printf("listener %s\n", name(s));
	fflush(stdout);
	if (fork() == 0) {
		int c = socket_secure(AF_INET, SOCK_STREAM, 0, sid(CLIENT));
		say("getpeername_secure, unconnected", getpeername_secure(c, a, &len, &s));
		say("connect_secure, another", connect_secure(c, a, len, sid(CONNECTION)));
		say("connect_secure", connect_secure(c, a, len, sid(SERVER)));
		say("connect_secure, again", connect_secure(c, a, len, sid(SERVER)));
		say("getpeername_secure", getpeername_secure(c, a, &len, &s));
		printf("peer %s\n", name(s));
		char context[64];
		socklen_t size = 4;
		say("SO_PEERSEC, small buffer", getsockopt(c, SOL_SOCKET, SO_PEERSEC, context, &size));
		printf("needs %u\n", size);
		size = sizeof context;
		say("SO_PEERSEC", getsockopt(c, SOL_SOCKET, SO_PEERSEC, context, &size));
		printf("peer %.*s\n", (int)size, context);
		say("sendto_secure, another message", sendto_secure(c, "hello", 5, 0, NULL, 0, 0, sid(SERVER)));
		say("sendto_secure", sendto_secure(c, "hello", 5, 0, NULL, 0, sid(CONNECTION), sid(CLIENT)));
		return 0;
	}
	int status;
	wait(&status);
	int fd = accept_secure(l, a, &len, &s);
	say("accept_secure", fd);
	printf("client %s\n", name(s));
	say("getsockname_secure", getsockname_secure(fd, a, &len, &s));
	printf("connection %s\n", name(s));
	ssize_t n = read(fd, data, sizeof data);
	printf("read %.*s\n", (int)n, data);
	return 0;
}
