/* SPDX-License-Identifier: Apache-2.0 */

/* Who sent what: recvfrom_secure and recvmsg_secure on datagrams and on a
 * connection. Each line says what a call answered. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "flask_socket.h"
#include "contexts.h"

#define MESSAGE "user_u:user_r:client_t:s0"

static const char *type(security_id_t s)
{
	static char contexts[2][256];
	static int turn;
	char *context = contexts[turn ^= 1];
	uint32_t len = sizeof contexts[0];
	if (security_sid_to_context(s, context, &len) < 0)
		return strerror(errno);
	strtok(context, ":");
	strtok(NULL, ":");
	return strtok(NULL, ":");
}

static void said(const char *call, ssize_t n, const char *data, const security_id_t *sender, const security_id_t *message)
{
	if (n < 0)
		printf("%s: %s\n", call, strerror(errno));
	else
		printf("%s: \"%.*s\" of %s, %s\n", call, (int)n, data, type(*sender), type(*message));
	fflush(stdout);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET }, from, other;
	struct sockaddr *a = (struct sockaddr *)&at, *f = (struct sockaddr *)&from;
	socklen_t len = sizeof at, flen = sizeof from;
	security_id_t s = 0, m = 0;
	char b[16] = "", c[4] = "";

	alarm(30); /* whatever goes wrong, this ends */
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int u = socket_secure(AF_INET, SOCK_DGRAM, 0, sid(SERVER));
	int v = socket_secure(AF_INET, SOCK_DGRAM, 0, sid(CLIENT));
	if (u < 0 || v < 0 || bind(u, a, len) < 0 || getsockname(u, a, &len) < 0)
		return 1;
	said("no sender", recvfrom_secure(u, b, sizeof b, 0, f, &flen, NULL, &m), b, &s, &m);
	said("no message", recvfrom_secure(u, b, sizeof b, 0, f, &flen, &s, NULL), b, &s, &m);
	said("nothing there", recvfrom_secure(u, b, sizeof b, MSG_DONTWAIT, f, &flen, &s, &m), b, &s, &m);

	sendto(v, "plain", 5, 0, a, len);
	said("peeked at", recvfrom_secure(u, b, sizeof b, MSG_PEEK, f, &flen, &s, &m), b, &s, &m);
	said("recvfrom_secure", recvfrom_secure(u, b, sizeof b, 0, f, &flen, &s, &m), b, &s, &m);
	len = sizeof other;
	getsockname(v, (struct sockaddr *)&other, &len);
	printf("from the sender: %d\n", from.sin_port == other.sin_port && flen == sizeof from);
	fflush(stdout);

	sendto_secure(v, "labelled", 8, 0, a, sizeof at, sid(SERVER), sid(MESSAGE));
	struct iovec iov[2] = { { c, sizeof c }, { b, sizeof b } };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = recvmsg_secure(u, &msg, 0, &s, &m);
	said("recvmsg_secure", n < 0 ? n : n - (ssize_t)sizeof c, b, &s, &m);
	printf("from the sender: %d\n", from.sin_port == other.sin_port && msg.msg_namelen == sizeof from);

	/* What is read by a plain call takes its SIDs along. */
	sendto_secure(v, "one", 3, 0, a, sizeof at, 0, sid(MESSAGE));
	sendto(v, "two", 3, 0, a, sizeof at);
	if (recv(u, b, sizeof b, 0) != 3)
		return 1;
	said("after a plain one", recvfrom_secure(u, b, sizeof b, 0, NULL, NULL, &s, &m), b, &s, &m);

	/* Connected to each other, in both directions, one waiting for the other. */
	if (connect_secure(u, (struct sockaddr *)&other, sizeof other, sid(CLIENT)) < 0 || connect(v, a, sizeof at) < 0)
		return 1;
	if (fork() == 0) {
		said("waited for", recvfrom_secure(u, b, sizeof b, 0, f, &flen, &s, &m), b, &s, &m);
		send(u, "answer", 6, 0);
		return 0;
	}
	usleep(20000); /* more often than not the other waits by then */
	sendto_secure(v, "ask", 3, 0, NULL, 0, 0, sid(MESSAGE));
	msg.msg_iov = iov + 1;
	msg.msg_iovlen = 1;
	said("connected", recvmsg_secure(v, &msg, 0, &s, &m), b, &s, &m);
	int status;
	wait(&status);

	/* A connection's bytes have the SID of its socket. */
	int l = socket_secure(AF_INET, SOCK_STREAM, 0, sid(SERVER));
	int t = socket_secure(AF_INET, SOCK_STREAM, 0, sid(CLIENT));
	at.sin_port = htons(80);
	if (bind(l, a, sizeof at) < 0 || listen_secure(l, 5, sid(MESSAGE), 0) < 0 || connect(t, a, sizeof at) < 0)
		return 1;
	int fd = accept(l, NULL, NULL);
	if (write(t, "stream", 6) != 6 || write(fd, "back", 4) != 4)
		return 1;
	said("server", recvfrom_secure(fd, b, sizeof b, 0, f, &flen, &s, &m), b, &s, &m);
	said("client", recvmsg_secure(t, &msg, 0, &s, &m), b, &s, &m);
	said("no descriptor", recvfrom_secure(99, b, sizeof b, 0, f, &flen, &s, &m), b, &s, &m);
	said("no socket", recvmsg_secure(1, &msg, 0, &s, &m), b, &s, &m);
	close(fd);
	said("the end", recvfrom_secure(t, b, sizeof b, 0, f, &flen, &s, &m), b, &s, &m);
	return 0;
}
